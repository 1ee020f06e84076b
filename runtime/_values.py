"""The values of a model: what was left out, files, times, and the way to JSON and back."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import IO, Any, Literal, SupportsIndex

from attrs import define

from ._errors import InvalidRequestError


class Unset:
    """Type of `UNSET`: an argument or a member that was left out. It is falsy."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()

# What JSON holds as it is; a list can hold something else.
_JSON_TYPES = frozenset({str, bool, int, float, dict, type(None), Unset})


FileContent = IO[bytes] | bytes | str
FileTypes = tuple[str | None, FileContent, str | None]
RequestFiles = list[tuple[str, FileTypes]]


@define
class File:
    """A file of a multipart form: its content, and what the form says of it."""

    payload: FileContent
    file_name: str | None = None
    mime_type: str | None = None


def decode(value: Any, *candidates: tuple[type, Callable[[Any], Any]]) -> Any:
    """Convert a JSON value with the first candidate for its JSON type that accepts it.

    Of several models it is the one that the value fits best; of those that it fits equally, the
    first. A value that none accepts is returned as it came.
    """
    fitting = [convert for kind, convert in candidates if isinstance(value, kind)]
    if len(fitting) > 1:
        fitting.sort(key=lambda convert: _misfit(convert, value))
    for convert in fitting:
        try:
            return convert(value)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return value


def _misfit(convert: Callable[[Any], Any], value: Any) -> tuple[int, int]:
    """Count what a model does not allow in a value, and which members it does not know."""
    rule = getattr(getattr(convert, "__self__", None), "_rule", None)
    if rule is None:
        return 0, 0
    return len(rule.read(value)[1]), len(value.keys() - rule.members.keys())


class _Time(datetime.datetime):
    """A time that remembers how it was written: with fewer digits, say, or more."""

    written: str

    def __repr__(self) -> str:
        return repr(self._forgotten())

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        # That of a datetime leaves behind what a subclass has of its own.
        if "written" in vars(self):
            return moment, (self.written,)
        return self._forgotten().__reduce_ex__(protocol)

    def _forgotten(self) -> datetime.datetime:
        return datetime.datetime.combine(self.date(), self.timetz())


def moment(written: str) -> datetime.datetime:
    """Read a time such as 2026-01-31T12:00:00Z; `encode` gives back the same text."""
    time = datetime.datetime.fromisoformat(written)
    if encode(time) == written:
        return time
    kept = _Time.fromisoformat(written)
    kept.written = written
    return kept


def encode(value: Any) -> Any:
    """Convert a value of a model to what JSON can hold; the opposite of `decode`.

    Errors: `InvalidRequestError` for a value that is nested too deep, or holds itself.
    """
    if type(value) in _JSON_TYPES:
        return value
    try:
        if isinstance(value, list):
            return [encode(item) for item in value]
        if hasattr(value, "to_dict"):
            return value.to_dict()
    except RecursionError:
        raise InvalidRequestError(f"{type(value).__name__} is nested too deep.") from None
    if isinstance(value, _Time) and "written" in vars(value):  # It is gone from what it gave.
        return value.written
    if isinstance(value, datetime.date):
        # What came with a Z goes back with it.
        return re.sub(r"(:[0-9.]+)\+00:00$", r"\1Z", value.isoformat())
    return value
