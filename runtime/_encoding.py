"""Writes values into the path, query, headers and body of a request."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from ._errors import InvalidRequestError
from ._values import UNSET, Unset, encode

_percent_encode = partial(quote, safe="")


def object_members(value: Any, name: str = "") -> dict[str, Any]:
    """Give the members of an object as `name[member]`, or by their own names; none if left out."""
    members = {} if isinstance(value, Unset) else encode(value)
    if not isinstance(members, dict):
        raise InvalidRequestError(f"an object is needed, got {type(value).__name__}.")
    return {f"{name}[{member}]" if name else member: each for member, each in members.items()}


def as_text(name: str, value: Any) -> str:
    """Write a value as the text of a path, a header or a form field.

    Errors: `InvalidRequestError` for a value without a text form, such as None or bytes, and for
    text that UTF-8 can't encode.
    """
    if isinstance(value, str):
        text = str.__str__(value)  # The str() of an enum member is its name, not its value.
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float):
        text = str(value)
    elif isinstance(value, datetime.date):
        text = value.isoformat()
    elif isinstance(value, dict):
        text = json_body(value).decode()
    else:
        kind = "None" if value is None else type(value).__name__
        raise InvalidRequestError(
            f"{name} must be text, got {kind}. Leave it out, or pass a value."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            f"{name} can't be sent: character {error.start + 1} is half of a surrogate pair."
        ) from error
    return text


def path_segment(name: str, value: Any, style: str = "simple", explode: bool = False) -> str:
    """Percent-encode a value, the items of a list or the members of an object as one segment.

    The styles are `a,b`, for `label` `.a,b` or `.a.b`, and for `matrix` `;name=a,b` or
    `;name=a;name=b`. The members of an object are items such as `a,1` or, exploded, `a=1`.
    Errors: `InvalidRequestError` for a value that would change the path: empty, `.` or `..`.
    """
    value = encode(value)
    is_object = isinstance(value, dict)
    begin = {"simple": "", "label": ".", "matrix": f";{name}="}[style]
    if is_object and explode and style == "matrix":
        begin = ";"
    between = begin if explode and begin else ","
    items = _items(name, value, explode, _percent_encode)
    if between == "." and isinstance(value, list | dict):
        _check_delimiter(name, ".", items)
    text = begin + between.join(items) if items else ""
    if text in ("", ".", ".."):
        raise InvalidRequestError(f"{name} can't be {text!r}: it is a part of the path.")
    return text


def header_list(name: str, value: Any, explode: bool = False) -> Any:
    """Write a list or an object as one header.

    Errors: `InvalidRequestError` for an item with a comma, or, exploded, a member name with `=`.
    """
    if not isinstance(value, list | dict):
        return value
    items = _items(name, value, explode)
    _check_delimiter(name, ",", items)
    if explode and isinstance(value, dict):
        _check_delimiter(name, "=", value)
    return ",".join(items) if items else UNSET


def _items(
    name: str, value: Any, explode: bool = False, write: Callable[[str], str] = lambda text: text
) -> list[str]:
    """Write the texts of which a value consists, none for UNSET.

    A list has one for each item. An object has the name and the value of each member in turn, or,
    exploded, `name=value`. Any other value has one.
    """
    if not isinstance(value, dict):
        return [write(text) for _, text in _pairs({name: value})]
    pairs = [(write(member), write(as_text(name, each))) for member, each in value.items()]
    return ["=".join(pair) for pair in pairs] if explode else [*chain(*pairs)]


def _check_delimiter(name: str, delimiter: str, texts: Iterable[str]) -> None:
    """Refuse texts that a server would split. Errors: `InvalidRequestError`."""
    if any(delimiter in text for text in texts):
        what = f"{name} can't be sent: {delimiter!r} is between its items"
        raise InvalidRequestError(f"{what}, and in one of them.")


def _pairs(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give name and text of each member; a list gives one pair for each item."""
    for name, value in members.items():
        if not isinstance(value, Unset):
            for item in value if isinstance(value, list) else [value]:
                yield name, as_text(name, encode(item))


def urlencoded(members: Mapping[str, Any], delimiters: Mapping[str, str] = {}) -> str:
    """Write members as `application/x-www-form-urlencoded`, for a form or a query.

    A list or an object among the `delimiters` is one value, with the delimiter between its items.
    Another object is written as JSON. Errors: `InvalidRequestError` for an item that holds its
    delimiter, if encoding can't tell them apart.
    """
    written = []
    for name, value in members.items():
        delimiter = delimiters.get(name, "")
        texts = _items(name, value) if delimiter else [text for _, text in _pairs({name: value})]
        if delimiter.startswith("%"):
            _check_delimiter(name, unquote(delimiter), texts)
        texts = [quote_plus(text) for text in texts]
        if delimiter and texts:
            texts = [delimiter.join(texts)]
        written += [f"{quote_plus(name)}={text}" for text in texts]
    return "&".join(written)


def headers(members: Mapping[str, Any]) -> dict[str, str]:
    """Write members as headers with names in lower case; a list is joined with commas.

    Errors: `InvalidRequestError` for a name or value that is not allowed in a header.
    """
    if not isinstance(members, Mapping) or not all(isinstance(name, str) for name in members):
        raise InvalidRequestError("headers must map the names of headers to their values.")
    written: dict[str, str] = {}
    for name, text in _pairs({name.lower(): value for name, value in members.items()}):
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise InvalidRequestError(f"{name!r} can't be the name of a header.")
        if not re.fullmatch(r"([!-~]([\t -~]*[!-~])?)?", text):
            raise InvalidRequestError(
                f"the header {name} can't be sent: only visible ASCII and inner spaces are allowed."
            )
        written[name] = f"{written[name]}, {text}" if name in written else text
    return written


def cookies(members: Mapping[str, Any], delimiters: Mapping[str, str] = {}) -> dict[str, str]:
    """Write members as the header `Cookie`; no members, no header.

    A list or an object among the `delimiters` is one value, with the delimiter between its items.
    Others explode: a list as `name=1&name=2`, an object as `member=1&other=2`.
    """
    written = []
    for name, value in members.items():
        explode = name not in delimiters
        begin = "" if explode and isinstance(value, dict) else f"{name}="
        if items := _items(name, value, explode, _percent_encode):
            written.append(begin + delimiters.get(name, f"&{begin}").join(items))
    return {"Cookie": "; ".join(written)} if written else {}


def json_body(value: Any) -> bytes:
    """Write a value as JSON. Errors: `InvalidRequestError` for a value that JSON can't hold."""
    try:
        return json.dumps(encode(value), ensure_ascii=False, allow_nan=False).encode()
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidRequestError(f"The body can't be written as JSON: {error}.") from error
