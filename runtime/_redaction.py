"""Keeps credentials out of everything that people see, and brings texts on one line."""

from __future__ import annotations

import contextlib
import html
import json
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what it came from."""
    seen: list[BaseException] = []
    while error is not None and not any(error is other for other in seen):
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__


def forget(error: BaseException | None, secrets: tuple[str, ...]) -> None:
    """Clear credentials from the frames and the texts of a traceback."""
    for cause in chain(error):
        traceback.clear_frames(cause.__traceback__)
        # What the caller was handling is in the chain too, and can refuse to be changed.
        with contextlib.suppress(Exception):
            args = tuple(without(value, secrets) for value in cause.args)
            if args != cause.args:
                cause.args = args
            for name, value in vars(cause).items():
                if (cleared := without(value, secrets)) != value:
                    setattr(cause, name, cleared)


def without(value: Any, secrets: tuple[str, ...]) -> Any:
    """Give a text without credentials, and anything else as it is."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[secret]")
    return value


def forms(text: str) -> Iterator[str]:
    """Give a text in the forms in which a server repeats it: plain, in JSON, in a URL, in HTML."""
    for written in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (written, written.replace("/", r"\/"))
    yield from (quote(text, safe=""), quote_plus(text), html.escape(text))


def line(text: str, most: int = 300) -> str:
    """Bring a text of a server on one line of bearable length."""
    text = "".join(character if character.isprintable() else " " for character in text[: 8 * most])
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


class Secret(str):
    """Text that no repr shows: not that of a mapping, nor that of a frame in a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


class NoProjectId(Secret):
    """A project that is no Project ID; who swaps it with the token gives the token here."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[project=, or SIGNALWIRE_PROJECT_ID]"
