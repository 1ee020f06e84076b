r"""Patterns of the contract, which are of ECMA-262, as Python writes them."""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Iterator

# An escaped character, a class in brackets, and what Python writes in another way.
_SPECIAL = r"\\[pP]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|\$|\(\?<(?![=!])"
_PYTHON = {"$": r"\Z", "(?<": "(?P<"}
_PROPERTY = re.compile(r"\\([pP])\{(?:(?:gc|General_Category)=)?(\w+)\}")
_LONG_NAMES = {
    **{"Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Mark": "M"},
    **{"Number": "N", "Decimal_Number": "Nd", "Punctuation": "P", "Symbol": "S"},
    **{"Separator": "Z", "Space_Separator": "Zs"},
}
_CATEGORIES = re.compile(r"L[ulmot]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfon]?")


@functools.cache
def python_pattern(pattern: str) -> str | None:
    r"""Translate a pattern for `re.ASCII`; None if Python can't check it.

    In Python, `$` also matches before a final newline, a named group has a `P`, and the characters
    of `\p{L}` are written out.
    """
    try:
        result = re.sub(_SPECIAL, _translated, pattern, flags=re.DOTALL)
        re.compile(result, re.ASCII)
    except (KeyError, re.error):
        return None
    return result


def _translated(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("["):
        return re.sub(r"\\[pP]\{[^}]*\}|\\.", _characters, text, flags=re.DOTALL)
    if text[:2] in (r"\p", r"\P") and len(text) > 2:
        return f"[{_characters(found)}]"
    return _PYTHON.get(text, text)


def _characters(found: re.Match[str]) -> str:
    r"""Write the characters of `\p{L}`, or of `\P{L}`, for a class in brackets."""
    if found[0][:2] not in (r"\p", r"\P") or len(found[0]) == 2:
        return found[0]
    known = _PROPERTY.fullmatch(found[0])
    category = _LONG_NAMES.get(known[2], known[2]) if known else ""
    if known is None or not _CATEGORIES.fullmatch(category):
        raise KeyError(found[0])
    return _ranges(category, known[1] == "p")


@functools.cache
def _ranges(category: str, is_of: bool) -> str:
    def ranges() -> Iterator[tuple[int, int]]:
        first = None
        for number in range(sys.maxunicode + 2):
            is_in = number <= sys.maxunicode and (
                unicodedata.category(chr(number)).startswith(category) is is_of
            )
            if is_in and first is None:
                first = number
            elif not is_in and first is not None:
                yield first, number - 1
                first = None

    # Text that can be sent has no surrogates.
    return "".join(f"{_escaped(a)}-{_escaped(b)}" if a < b else _escaped(a) for a, b in ranges())


def _escaped(number: int) -> str:
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
