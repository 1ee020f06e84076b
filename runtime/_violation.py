"""A value that breaks the contract, and how it is shown to people."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

Place = tuple[str | int, ...]
MISSING: Any = object()
"""Found in place of a member that is missing."""
UNKNOWN_FIELD = "absent"
"""Expected in place of a member that the contract does not know."""


class Violation(NamedTuple):
    """A value that breaks the contract: where it is, what is expected there, what was found."""

    place: Place
    expected: str
    found: Any

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.place)
        return "".join(f"/{step}" for step in steps)

    @property
    def problem(self) -> str:
        """The violation in words, for the caller of an operation."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)
        name = "".join(steps).removeprefix(".") or "the value"
        if self.found is MISSING:
            return f"{name} is missing: it must be {self.expected}"
        if self.expected is UNKNOWN_FIELD:
            return f"{name} is not a known field"
        return f"{name} must be {self.expected}, got {preview(self.found)}"

    @property
    def drift(self) -> str:
        """The violation in words, for the log of a reply."""
        return f"{self.pointer or 'the body'}: expected {self.expected}, got {preview(self.found)}"


def preview(value: Any) -> str:
    """Show a value in a message: short, on one line, with its type if that may be the mistake."""
    if type(value) is str:
        text = json.dumps(value, ensure_ascii=False)
    elif value is None or isinstance(value, bool | str):  # A subclass of str has its own repr.
        text = repr(value)
    elif value is MISSING:
        text = "nothing"
    else:
        try:
            text = f"{type(value).__name__} {value!r}"
        except Exception:  # It is nested too deep, has too many digits, or its repr is broken.
            text = type(value).__name__
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= 40 else f"{text[:30]}...{text[-7:]}"
