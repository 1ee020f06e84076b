"""The values of models: the marker for what was left out, files, times, and JSON conversion."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import IO, Any, Literal, SupportsIndex, TypeVar

from ._errors import InvalidRequestError


class Unset:
    """Type of `UNSET`, which marks an argument or a member that was left out. It is falsy."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()
"""Marks an argument or a member that was left out."""
T = TypeVar("T")


def or_default(value: T | Unset | None, default: T) -> T:
    """Give the value of an optional argument, or its default if it was left out."""
    return default if value is None or isinstance(value, Unset) else value


def or_unset(value: T | Unset | None) -> T | Unset:
    """Give the value of an optional argument, for which None means left out."""
    return UNSET if value is None else value


FileContent = IO[bytes] | bytes | str
FileTypes = tuple[str | None, FileContent, str | None]
"""A file as httpx takes it: name, content, media type."""
_Model = TypeVar("_Model")


class _DateTime(datetime.datetime):
    """A time that keeps its original text, which may have more or fewer digits."""

    original: str

    def __repr__(self) -> str:
        return repr(self._plain())

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        if "original" in vars(self):
            return parse_datetime, (self.original,)
        return self._plain().__reduce_ex__(protocol)

    def _plain(self) -> datetime.datetime:
        return datetime.datetime.combine(self.date(), self.timetz())


def parse_date(text: str) -> datetime.date:
    """Read a date such as 2026-01-31. Errors: `ValueError` if `encode` gave back another text."""
    date = datetime.date.fromisoformat(text)
    if encode(date) != text:
        raise ValueError(text)
    return date


def parse_datetime(text: str) -> datetime.datetime:
    """Read a time such as 2026-01-31T12:00:00Z. `encode` gives back the same text.

    A leap second becomes the second before it, since Python has none.
    """
    written = re.sub(r"(:[0-5][0-9]):60(?=[.Zz+-])", r"\1:59", text).upper()
    time = datetime.datetime.fromisoformat(written)
    if encode(time) == text:
        return time
    time = _DateTime.fromisoformat(written)
    time.original = text
    return time


def read_rfc2822(text: Any) -> datetime.datetime | None:
    """Read a time of RFC 2822, or with a longer month such as `Sept`. None if it has no zone."""
    try:
        date = parsedate_to_datetime(re.sub(r"\b([A-Z][a-z]{2})[a-z]+", r"\1", text))
    except (OverflowError, TypeError, ValueError):
        return None
    return date if date.tzinfo else None


def decode(value: Any, *candidates: tuple[type, Callable[[Any], Any]]) -> Any:
    """Convert a JSON value with the best of several converters.

    Each candidate is a JSON type and a converter. Of several models, the one with the fewest
    violations is chosen. A value that none accepts is returned as it is.
    """
    converters = [convert for kind, convert in candidates if isinstance(value, kind)]
    if len(converters) > 1:
        converters.sort(key=lambda convert: _violations(convert, value))
    for convert in converters:
        try:
            return convert(value)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return value


def _violations(convert: Callable[[Any], Any], value: Any) -> tuple[bool, int, int]:
    """Say whether a value is for another model; count its violations and unknown members."""
    schema = getattr(getattr(convert, "__self__", None), "_schema", None)
    if schema is None:
        return False, 0, 0
    is_other = bool(schema.tags) and not schema.is_tagged(value)
    return is_other, len(schema.read(value)[1]), len(value.keys() - schema.properties.keys())


def encode(value: Any) -> Any:
    """Convert a value of a model to JSON, the opposite of `decode`.

    Errors: `InvalidRequestError` for a value that is nested too deep or contains itself.
    """
    try:
        if isinstance(value, list):
            return [encode(item) for item in value]
        if hasattr(value, "to_dict"):
            return value.to_dict()
    except RecursionError:
        raise InvalidRequestError(f"{type(value).__name__} is nested too deep.") from None
    if isinstance(value, _DateTime) and "original" in vars(value):
        return value.original
    if isinstance(value, datetime.date):
        # UTC is written as it arrives: with a Z.
        return re.sub(r"(:[0-9.]+)\+00:00$", r"\1Z", value.isoformat())
    return value


def unvalidated(model: type[_Model], **values: Any) -> _Model:
    """Make a model without checking its values, so that all are checked at once later."""
    made = model.__new__(model)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made
