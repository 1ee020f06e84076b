"""The journal: every request and its reply, oldest first."""

import itertools
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from .engine import Answer
from .parsing import Incoming
from .redaction import redact, redact_cookies, redact_key, redact_password, redact_query

MOST_ENTRIES, MOST_BYTES = 10_000, 2**25

_REQUEST = attrgetter("method", "path", "query", "headers", "body", "form", "json")
_REPLY = attrgetter("operation_id", "status", "body", "refusal")


@dataclass(frozen=True)
class Exchange:
    """A request and its reply."""

    method: str
    """The HTTP method."""
    path: str
    """The path, percent-encoded."""
    query: str
    """The query, percent-encoded."""
    headers: list[tuple[str, str]] = field(repr=False)
    """Names in lower case, and values; credentials included."""
    body: bytes
    """Up to 1 MiB of the body of the request."""
    form: list[tuple[str, str]] | None
    """The body, if it is a form."""
    json: Any
    """The body, if it is JSON."""
    operation_id: str | None
    """The operation of the contract, if one matches."""
    status: int
    """The status of the reply. 0 if the connection was dropped."""
    reply_body: bytes
    """The body of the reply."""
    refusal: str | None
    """Why the request was refused."""
    fault: str | None = None
    """The fault that was injected."""
    carried_out: bool = True
    """False if the request was refused, or a fault kept it from its effect."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it was answered, in UTC."""

    def as_json(self, token: str, keys: Mapping[str, set[str]] = {}) -> dict[str, Any]:
        """Return JSON values: bytes as text; passwords, cookie values and the token redacted.

        So are the API keys whose names are given for each place. A token of fewer than eight
        characters is redacted in credentials only, because it could occur in any text by chance.
        """
        view = {item.name: getattr(self, item.name) for item in fields(self)}
        view["at"] = self.at.isoformat(timespec="milliseconds")
        for name in ("body", "reply_body"):
            view[name] = view[name].decode(errors="backslashreplace")
        hidden = dict.fromkeys(map(str.lower, keys.get("header", ())), redact_key) | _REDACTED
        view["headers"] = [
            (name, hidden[name](value) if name in hidden else value) for name, value in self.headers
        ]
        view["query"] = redact_query(self.query, keys.get("query", ()))
        cleared: dict[str, Any] = redact(view, token) if len(token) >= 8 else view
        return cleared

    @property
    def size(self) -> int:
        """The bytes of the request and its reply, without what HTTP puts between them."""
        texts = (self.path, self.query, *(text for pair in self.headers for text in pair))
        return len(self.body) + len(self.reply_body) + sum(map(len, texts))


class Journal:
    """The last exchanges, oldest first, within two limits. Safe to use from several threads."""

    def __init__(self, entries: int, size: int, keys: Mapping[str, set[str]]) -> None:
        """Start empty. Keep up to so many exchanges, and so many bytes of them.

        `keys` has the names of API keys by place, for those who show the exchanges.
        """
        self.keys = keys
        self._most, self._most_bytes = entries, size
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget every exchange."""
        with self._lock:
            # A new name tells an open page that the exchanges it shows are gone.
            self._name, self._total, self._bytes = secrets.token_hex(4), 0, 0
            self._exchanges: deque[Exchange] = deque()

    def add(
        self, incoming: Incoming, answer: Answer, fault: str | None, *, carried_out: bool
    ) -> None:
        """Record an exchange, and forget the oldest ones that are too many."""
        exchange = Exchange(*(*_REQUEST(incoming), *_REPLY(answer), fault, carried_out))
        with self._lock:
            self._total += 1
            self._bytes += exchange.size
            self._exchanges.append(exchange)
            while len(self._exchanges) > self._most or self._bytes > self._most_bytes:
                self._bytes -= self._exchanges.popleft().size

    def view(self, last: int = 0) -> tuple[str, int, list[Exchange]]:
        """Return a version, how many exchanges there were, and the last ones of those kept.

        The version changes with the journal. `last` 0 stands for all that are kept.
        """
        with self._lock:
            newest = itertools.islice(reversed(self._exchanges), last or None)
            return f"{self._name}-{self._total}", self._total, [*newest][::-1]


_REDACTED = {
    "authorization": redact_password,
    "proxy-authorization": redact_password,
    "cookie": redact_cookies,
}
