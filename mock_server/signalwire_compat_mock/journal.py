"""The journal: every request and its reply, oldest first."""

import re
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any

from .engine import Answer
from .parsing import Incoming, basic_credentials

_REQUEST = attrgetter("method", "path", "query", "headers", "body", "form", "json")
_REPLY = attrgetter("operation_id", "status", "body", "refusal")


@dataclass(frozen=True)
class Exchange:
    """A request and its reply.

    `path` and `query` are percent-encoded. `headers` have names in lower case, and include
    credentials. `body` holds up to 1 MiB; `form` or `json` is its content, decoded. `status` is 0
    if the connection was dropped. `refusal` is the reason for one. `at` is in UTC.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes
    form: list[tuple[str, str]] | None
    json: Any
    operation_id: str | None
    status: int
    reply_body: bytes
    refusal: str | None
    fault: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def as_json(self, token: str) -> dict[str, Any]:
        """Return JSON values: bytes as text; passwords, cookie values and the token redacted.

        A token of fewer than eight characters is redacted in credentials only, because it could
        occur in any text by chance.
        """
        view = asdict(self)
        view["at"] = self.at.isoformat(timespec="milliseconds")
        for name in ("body", "reply_body"):
            view[name] = view[name].decode(errors="backslashreplace")
        view["headers"] = [
            (name, _REDACTED[name](value) if name in _REDACTED else value)
            for name, value in self.headers
        ]
        cleared: dict[str, Any] = _redact(view, _token_pattern(token)) if len(token) >= 8 else view
        return cleared


class Journal:
    """The exchanges, oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self.clear()

    def clear(self) -> None:
        """Forget every exchange."""
        # Random, so that nobody takes the journal for that of an earlier mock on the same port.
        self._named: tuple[str, list[Exchange]] = secrets.token_hex(4), []

    def add(self, incoming: Incoming, answer: Answer, fault: str | None) -> None:
        """Record an exchange."""
        exchange = Exchange(*(*_REQUEST(incoming), *_REPLY(answer), fault))
        self._named[1].append(exchange)

    def view(self, last: int = 0) -> tuple[str, int, list[Exchange]]:
        """Return a version that changes with the journal, its length, and the last exchanges."""
        name, exchanges = self._named
        total = len(exchanges)
        return f"{name}-{total}", total, exchanges[:total][-last:]


@cache
def _token_pattern(token: str) -> re.Pattern[str]:
    """Return a pattern of the token, as plain text and percent-encoded."""
    pattern = ""
    for character in token:
        escape = "".join(f"%{byte:02x}" for byte in character.encode(errors="surrogateescape"))
        plus = r"|\+" if character == " " else ""
        pattern += f"(?:{re.escape(character)}|(?i:{escape}){plus})"
    return re.compile(pattern)


def _redact(value: Any, token: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return token.sub("[token]", value)
    if isinstance(value, dict):
        return {_redact(name, token): _redact(member, token) for name, member in value.items()}
    return [_redact(item, token) for item in value] if isinstance(value, list | tuple) else value


def _redact_password(value: str) -> str:
    credentials = basic_credentials(value)
    return f"Basic {credentials[0]}:[redacted]" if credentials else "[redacted]"


def _redact_cookies(cookies: str) -> str:
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    return "; ".join(f"{name}=[redacted]" if equals else "[redacted]" for name, equals, _ in pairs)


_REDACTED = {
    "authorization": _redact_password,
    "proxy-authorization": _redact_password,
    "cookie": _redact_cookies,
}
