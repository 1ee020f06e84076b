"""Writes values into a request: its path, query, headers, and body."""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, quote_plus

from ._errors import InvalidRequestError
from ._values import File, RequestFiles, Unset, encode

# The names of a contract are few, and the same for every call.
_quoted = functools.lru_cache(maxsize=1024)(quote_plus)
# How a form writes each character of ASCII: a look at it takes a third of the time of quote_plus.
_IN_FORM = {number: quote_plus(chr(number)) for number in range(128)}
# So is the account, which most paths hold.
_segment_quoted = functools.lru_cache(maxsize=256)(functools.partial(quote, safe=""))


def members(value: Any) -> dict[str, Any]:
    """Give the members of an object that was given, or of none."""
    encoded = {} if isinstance(value, Unset) else encode(value)
    if not isinstance(encoded, dict):
        raise InvalidRequestError(f"an object is needed, got {type(value).__name__}.")
    return encoded


def text(name: str, value: Any) -> str:
    """Write a value as the text of a path, a header or a form field.

    Errors: `InvalidRequestError` for a value that has no text: None, bytes, an object.
    """
    if isinstance(value, str):
        return str.__str__(value)  # The own text of an enumeration's member is its name.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return json_body(value).decode()
    kind = "None" if value is None else type(value).__name__
    raise InvalidRequestError(f"{name} must be text, got {kind}. Leave it out, or pass a value.")


def segment(name: str, value: Any) -> str:
    """Percent-encode a value as one segment of a path.

    Errors: `InvalidRequestError` for a value that would change the path: empty, `.` or `..`.
    """
    written = text(name, value)
    if written in ("", ".", ".."):
        raise InvalidRequestError(f"{name} can't be {written!r}: it is a part of the path.")
    try:
        return _segment_quoted(written)
    except UnicodeEncodeError as error:
        raise _not_encodable(name, error) from error


def pairs(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of every member that was given; a list gives one pair an item."""
    for name, value in members.items():
        if isinstance(value, Unset):
            continue
        for item in value if isinstance(value, list) else [value]:
            written = item if type(item) is str else text(name, encode(item))
            if written.isascii():
                yield name, written
                continue
            try:
                written.encode()
            except UnicodeEncodeError as error:
                raise _not_encodable(name, error) from error
            yield name, written


def urlencoded(members: Mapping[str, Any]) -> str:
    """Write members as `application/x-www-form-urlencoded`, for a form or a query."""
    return "&".join(
        f"{_quoted(name)}={value.translate(_IN_FORM) if value.isascii() else quote_plus(value)}"
        for name, value in pairs(members)
    )


def headers(members: Mapping[str, Any]) -> dict[str, str]:
    """Write members as headers, names in lower case; a list gives one header, with commas.

    Errors: `InvalidRequestError` for what would end a header or can't stand in one.
    """
    if not isinstance(members, Mapping) or not all(isinstance(name, str) for name in members):
        raise InvalidRequestError("headers must map the names of headers to their values.")
    written: dict[str, str] = {}
    for name, value in pairs({name.lower(): value for name, value in members.items()}):
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise InvalidRequestError(f"{name!r} can't be the name of a header.")
        if not re.fullmatch(r"([!-~]([\t -~]*[!-~])?)?", value):
            raise InvalidRequestError(
                f"the header {name} can't be sent: visible ASCII with spaces between is allowed."
            )
        written[name] = f"{written[name]}, {value}" if name in written else value
    return written


def cookies(members: Mapping[str, Any]) -> dict[str, str]:
    """Write members as the header `Cookie`; no member, no header."""
    written = "; ".join(f"{name}={quote(value, safe='')}" for name, value in pairs(members))
    return {"Cookie": written} if written else {}


def json_body(value: Any) -> bytes:
    """Write a value as JSON. Errors: `InvalidRequestError` for what JSON can't hold."""
    try:
        return json.dumps(encode(value), ensure_ascii=False, allow_nan=False).encode()
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidRequestError(f"The body can't be written as JSON: {error}.") from error


def whole(file: File) -> bytes | str:
    """Give the content of a file. Errors: `InvalidRequestError` when it can't be read."""
    if isinstance(file.payload, bytes | str):
        return file.payload
    try:
        return file.payload.read()
    except (AttributeError, OSError, ValueError) as error:
        raise InvalidRequestError(f"The file can't be read: {error}.") from error


def multipart(members: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a request holds of a `multipart/form-data` body.

    A file has a file name, by which servers know it; what is not a file is text or JSON.
    """
    files: RequestFiles = []
    for name, value in members.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, File):
                own = PurePath(str(getattr(item.payload, "name", ""))).name
                file_name = item.file_name or own or "upload"
                files.append((name, (file_name, item.payload, item.mime_type)))
            elif isinstance(item, dict):
                files.append((name, (None, json_body(item), "application/json")))
            else:
                files.append((name, (None, text(name, encode(item)), None)))
    if files:
        return {"files": files}
    # No parts would be no body at all; this is how browsers write a form without members.
    return {"content": b"--end--\r\n", "content_type": "multipart/form-data; boundary=end"}


def _not_encodable(name: str, error: UnicodeEncodeError) -> InvalidRequestError:
    return InvalidRequestError(
        f"{name} can't be sent: character {error.start + 1} is half of a surrogate pair."
    )
