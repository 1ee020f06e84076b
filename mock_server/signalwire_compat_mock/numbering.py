"""Phone numbers: what is known of one, and patterns of them."""

import functools
import re

import phonenumbers

from .request_checks import Refusal

WRONG_FORMAT = 90000
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")


class NumberPattern:
    """A pattern that is looked for anywhere in a number in E.164 format.

    Assumed, since the provider does not describe its wildcards: `*` stands for any digits, `?` or
    `.` for one digit, a letter for its digit on a telephone keypad.

    Errors: `Refusal` 90000 for any other character.
    """

    def __init__(self, text: str, name: str) -> None:
        """Compile the value of the argument `name`."""
        if not re.fullmatch(r"\+?[0-9A-Za-z*?.]*", text):
            allowed = "digits, letters, the wildcards *, ? and ., and a plus sign in front"
            raise Refusal(WRONG_FORMAT, f"{name} is not a pattern: it may hold {allowed}.")
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


@functools.lru_cache(maxsize=4096)
def describe(number: str) -> tuple[str, str, bool]:
    """Return the national format, the country ("US" if unknown), and if it is toll-free."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number, "US", False
    regions = (
        phonenumbers.region_code_for_number(parsed),
        phonenumbers.region_code_for_country_code(parsed.country_code or 0),
    )
    country = next((r for r in regions if r and r.isalpha()), "US")
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    kind = phonenumbers.number_type(parsed)
    return national, country, kind == phonenumbers.PhoneNumberType.TOLL_FREE
