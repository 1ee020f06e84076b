"""Writes values into the path, query, headers and body of a request."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from ._errors import InvalidRequestError
from ._values import UNSET, Unset, encode


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
    items = _items(name, value, "=" if explode else "", lambda text: quote(text, safe=""))
    if between == "." and (is_object or isinstance(value, list)) and "." in "".join(items):
        raise InvalidRequestError(f"{name} can't be sent: '.' is between its items, and in one.")
    text = begin + between.join(items) if items else ""
    if text in ("", ".", ".."):
        raise InvalidRequestError(f"{name} can't be {text!r}: it is a part of the path.")
    return text


def header_list(name: str, value: Any, explode: bool = False) -> Any:
    """Write a list or an object as one header.

    Errors: `InvalidRequestError` for an item with a comma, or a member that can't be told apart.
    """
    if not isinstance(value, list | dict):
        return value
    items = _items(name, value, "=" if explode else "")
    members = value if explode and isinstance(value, dict) else ()
    for sign, texts in ((",", items), ("=", members)):
        if any(sign in text for text in texts):
            what = f"{name} can't be sent: {sign!r} is between its items"
            raise InvalidRequestError(f"{what}, and in one.")
    return ",".join(items) if items else UNSET


def _items(
    name: str, value: Any, sign: str, written: Callable[[str], str] = lambda text: text
) -> list[str]:
    """Write a value, the items of a list, or names and values of an object; a sign joins these."""
    if not isinstance(value, dict):
        return [written(text) for _, text in _pairs({name: value})]
    pairs = [(written(member), written(as_text(name, each))) for member, each in value.items()]
    return (
        [sign.join(pair) for pair in pairs] if sign else [text for pair in pairs for text in pair]
    )


def _pairs(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give name and text of each member; a list gives one pair for each item."""
    for name, value in members.items():
        if not isinstance(value, Unset):
            for item in value if isinstance(value, list) else [value]:
                yield name, as_text(name, encode(item))


def urlencoded(members: Mapping[str, Any], delimiters: Mapping[str, str] = {}) -> str:
    """Write members as `application/x-www-form-urlencoded`, for a form or a query.

    A list or an object among the `delimiters` is one value, with the delimiter between its items.
    Errors: `InvalidRequestError` for an item that can't be told from two.
    """
    written = []
    for name in members:
        delimiter = delimiters.get(name, "")
        is_whole = not delimiter and isinstance(members[name], dict)
        texts = _items(name, [members[name]] if is_whole else members[name], "")
        for text in texts if delimiter.startswith("%") else ():
            if unquote(delimiter) in text:
                what = f"{name} can't be sent: {unquote(delimiter)!r} is between its items"
                raise InvalidRequestError(f"{what}, and in one of them.")
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

    A list or an object among the `delimiters` is one value. Others explode, as `a=1&a=2`.
    """
    written = []
    for name, value in members.items():
        explode = name not in delimiters
        is_object = explode and isinstance(value, dict)
        between = "&" if is_object else delimiters.get(name, f"&{name}=")
        items = _items(name, value, "=" if explode else "", lambda text: quote(text, safe=""))
        if items:
            written.append(("" if is_object else f"{name}=") + between.join(items))
    return {"Cookie": "; ".join(written)} if written else {}


def json_body(value: Any) -> bytes:
    """Write a value as JSON. Errors: `InvalidRequestError` for a value that JSON can't hold."""
    try:
        return json.dumps(encode(value), ensure_ascii=False, allow_nan=False).encode()
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidRequestError(f"The body can't be written as JSON: {error}.") from error
