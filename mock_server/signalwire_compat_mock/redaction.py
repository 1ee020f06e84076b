"""Takes passwords, cookies and the token out of what the journal shows."""

import base64
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from .parsing import ParseError, basic_credentials, decode_value


def redact(value: Any, token: str) -> Any:
    """Replace the token in a JSON value, also in the names of members, by "[token]".

    It is found as it is, percent-encoded, escaped as in JSON, and in Base64, alone or as a part.
    """
    if isinstance(value, str):
        # Most texts have no escapes, and are looked through much faster.
        escaped = "%" in value or "\\" in value
        return _pattern(token, escaped=escaped).sub("[token]", value)
    if isinstance(value, dict):
        return {redact(name, token): redact(member, token) for name, member in value.items()}
    return [redact(item, token) for item in value] if isinstance(value, list | tuple) else value


@cache
def _pattern(token: str, *, escaped: bool) -> re.Pattern[str]:
    starts = {"%", "\\"}

    def spell(text: str, others: Mapping[str, str]) -> str:
        """Return a pattern of a text; some of its characters have others that mean the same."""
        choices = [character + others.get(character, "") for character in text]
        starts.update(choices[0])
        return "".join(
            f"(?:{'|'.join(_character(c, escaped) for c in choice)})" for choice in choices
        )

    spelt = {spell(token, {" ": "+"})}
    for encoding in ("utf-8", "latin-1"):
        encoded = token.encode(encoding, "backslashreplace")
        spelt.add(spell(encoded.decode("latin-1"), {}))
        # Base64 for URLs has other characters; a plus in a form means a blank.
        spelt |= {spell(core, {"+": "- ", "/": "_"}) for core in _base64(encoded)}
    # Most characters begin none of them: to see that first takes a tenth of the time.
    begin = re.escape("".join(sorted(starts)))
    return re.compile(f"(?=[{begin}])(?:{'|'.join(sorted(spelt))})")


def _base64(encoded: bytes) -> Iterator[str]:
    """Yield what the Base64 of each text that holds these bytes has in it: three cases."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + encoded).decode().rstrip("=")
        # The characters at the ends hold bits of what is around it.
        end = len(text) if (before + len(encoded)) % 3 == 0 else len(text) - 1
        yield text[before + bool(before) : end]


def _character(character: str, escaped: bool) -> str:
    """Return a pattern of a character, or of all ways to write it in a URL, a form or JSON."""
    plain = re.escape(character)
    if not escaped:
        return plain
    byte = "".join(_PERCENT + _hex(f"{b:02x}") for b in character.encode(errors="surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass").hex()
    unit = "".join(_BACKSLASH + "{1,8}u" + _hex(units[i : i + 4]) for i in range(0, len(units), 4))
    # JSON may write a backslash before some of them.
    before = "" if character.isalnum() else f"{_BACKSLASH}{{0,8}}"
    return f"{before}(?:{plain}|{byte})|{unit}"


def _hex(digits: str) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)


# An escape can be escaped again. Without a limit, a text of backslashes alone would take hours.
_PERCENT = "%(?:25){0,4}"
_BACKSLASH = rf"(?:\\|{_PERCENT}5[cC])"


def redact_password(value: str) -> str:
    """Redact credentials; the user name of HTTP Basic stays."""
    credentials = basic_credentials(value)
    return f"Basic {credentials[0]}:[redacted]" if credentials else "[redacted]"


def redact_cookies(cookies: str) -> str:
    """Redact the values of the cookies in a header."""
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    return "; ".join(f"{name}=[redacted]" if equals else "[redacted]" for name, equals, _ in pairs)


def redact_key(_: str) -> str:
    """Redact an API key."""
    return "[redacted]"


def redact_query(query: str, names: Collection[str]) -> str:
    """Redact the API keys of these names in a query."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(f"{n}=[redacted]" if _named(n) in names else n + e + v for n, e, v in pairs)


def _named(encoded: str) -> str:
    try:
        return decode_value(encoded)
    except ParseError:
        return encoded
