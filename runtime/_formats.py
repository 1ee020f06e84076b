"""Checks of single values: types, formats and limits of JSON Schema."""

from __future__ import annotations

import datetime
import json
import math
import re
from fractions import Fraction
from typing import Any

from ._multipart import File

_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = (
    r"[Tt](?:[01][0-9]|2[0-3])(?::[0-5][0-9]:[0-5][0-9]|:59:60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:(?:[!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})*"
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
FORMATS = {
    "uuid": ("a UUID", re.compile(_UUID)),
    "uri": ("a URL with its scheme, in ASCII", re.compile(_URI)),
    "date": ("a date such as 2026-01-31", re.compile(_DATE)),
    "date-time": ("a time such as 2026-01-31T12:00:00Z", re.compile(_DATE + _TIME)),
    "email": ("an e-mail address", re.compile(r"[^@\s]+@[^@\s]+")),
}
TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "string": ("text", (str,)),
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "array": ("a list", (list,)),
    "object": ("an object", (dict,)),
    "null": ("null", (type(None),)),
    "file": ("a File", (File,)),
}


def has_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[name][1])


def has_format(value: str, name: str) -> bool:
    if FORMATS[name][1].fullmatch(value) is None:
        return False
    if name in ("date", "date-time"):  # A month has 28 to 31 days.
        try:
            datetime.date.fromisoformat(value[:10])
        except ValueError:
            return False
    return True


def is_equal(value: Any, allowed: Any) -> bool:
    return isinstance(value, bool) == isinstance(allowed, bool) and bool(value == allowed)


def has_repeats(items: list[Any]) -> bool:
    written = [json.dumps(item, sort_keys=True, default=repr) for item in items]
    return len(set(written)) < len(written)


def is_multiple(value: float, of: float) -> bool:
    """Divide decimally: in binary, 19.99 is not a multiple of 0.01."""
    return math.isfinite(value) and Fraction(str(value)) % Fraction(str(of)) == 0


def half_surrogate(value: str) -> int:
    """Give the number of the first character that UTF-8 can't encode, from 1; 0 if none."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return error.start + 1
    return 0
