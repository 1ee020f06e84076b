"""Keeps credentials out of errors, logs and tracebacks."""

from __future__ import annotations

import contextlib
import html
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote, quote_plus

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value that no traceback, debugger or dump may show. `reveal()` returns it."""

    __slots__ = ("reveal",)

    def __init__(self, value: T) -> None:
        self.reveal: Callable[[], T] = lambda: value

    def __repr__(self) -> str:
        return "[secret]"


Secrets = Secret[tuple[str, ...]]
"""Texts that must not be shown, the longest first."""


def redact(value: Any, secrets: Secrets) -> Any:
    """Replace secrets in a text, or in all texts of a JSON value."""
    if isinstance(value, str):
        for secret in secrets.reveal():
            value = value.replace(secret, "[secret]")
    elif isinstance(value, list):
        return [redact(item, secrets) for item in value]
    elif isinstance(value, dict):
        return {redact(name, secrets): redact(item, secrets) for name, item in value.items()}
    return value


def secret_variants(text: str) -> Iterator[str]:
    """List the ways a server may repeat a text: plain, in JSON, in a URL, in HTML."""
    for written in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (written, written.replace("/", r"\/"))
    yield from (quote(text, safe=""), quote_plus(text), html.escape(text))


def scrub_traceback(error: BaseException | None, secrets: Secrets) -> None:
    """Clear the local variables of a traceback, and redact the texts of its exceptions."""
    for cause in error_chain(error):
        traceback.clear_frames(cause.__traceback__)
        # The chain can hold the caller's own exceptions, and those may refuse to be changed.
        with contextlib.suppress(Exception):
            args = tuple(_redact_text(value, secrets) for value in cause.args)
            if args != cause.args:
                cause.args = args
            for name, value in vars(cause).items():
                if (redacted := _redact_text(value, secrets)) != value:
                    setattr(cause, name, redacted)


def _redact_text(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {name: _redact_text(item, secrets) for name, item in value.items()}
    if isinstance(value, tuple):  # An error of aiohttp holds the headers of its request in one.
        make = getattr(value, "_make", tuple)
        return make([_redact_text(item, secrets) for item in value])
    return value


def error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and its causes."""
    seen: list[BaseException] = []
    while error is not None and not any(error is other for other in seen):
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__


def find_interrupt(error: BaseException, handled: BaseException | None) -> BaseException | None:
    """Find an interrupt that anyio put in a group, or replaced by an error of its own.

    One that the caller already `handled` is none of this call.
    """
    for cause in error_chain(error):
        if cause is handled:
            return None
        if isinstance(cause, KeyboardInterrupt | SystemExit):
            return cause
        if isinstance(cause, BaseExceptionGroup):
            return find_interrupt(cause.exceptions[0], handled)
    return None


def one_line(text: str, limit: int = 300) -> str:
    """Collapse a server's text to one line of at most `limit` characters."""
    text = "".join(character if character.isprintable() else " " for character in text[: 8 * limit])
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
