"""Patterns of phone numbers. Assumed, since the provider does not describe its wildcards."""

import re

from .request_checks import Refusal

_WRONG_FORMAT = 90000
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")


class NumberPattern:
    """A pattern that is looked for anywhere in a number in E.164 format.

    Digits and the letters of a telephone keypad stand for themselves, `*` for any digits, `?` and
    `.` for one digit. Errors: `Refusal` 90000 for any other character.
    """

    def __init__(self, text: str, name: str) -> None:
        """Compile the value of the argument `name`."""
        if not re.fullmatch(r"\+?[0-9A-Za-z*?.]*", text):
            allowed = "digits, letters, the wildcards *, ? and ., and a plus sign in front"
            raise Refusal(_WRONG_FORMAT, f"{name} is not a pattern: it may hold {allowed}.")
        digits = text.upper().translate(_KEYPAD)
        pieces = re.escape(digits).replace(r"\?", "[0-9]").replace(r"\.", "[0-9]").split(r"\*")
        self._pieces = [re.compile(piece) for piece in pieces if piece]

    def matches(self, number: str) -> bool:
        """Whether the pieces between the asterisks occur in the number, one after another."""
        end = 0
        for piece in self._pieces:
            if (found := piece.search(number, end)) is None:
                return False
            end = found.end()
        return True
