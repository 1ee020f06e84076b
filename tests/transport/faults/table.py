"""What a row of the table is: a fault, and what the client promises when it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from signalwire_compat import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    SignalWireError,
)

from tests.transport.fault_server import Script

Connect = Literal["http", "https", "https-stock", "name", "slow-name", "refused", "full"]
Kind = Literal["sync", "async", "httpx", "httpx async", "httpx-aiohttp"]
KINDS: tuple[Kind, ...] = ("sync", "async")
# Over a client of the caller's only what concerns money is promised.
CALLERS_CLIENTS: tuple[Kind, ...] = ("httpx", "httpx async", "httpx-aiohttp")
STALLED_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a caller gets.

    Shape: `kind` is the exact class of the exception, None for a purchased number. None means
    "not promised" for `outcome_unknown`, `sid` and `drift`. `sid` says whether the exception
    holds the SID of the number. `members` are attributes of what the caller gets. `drift` are the
    JSON pointers that the one warning in the log names; none, no warning.
    """

    kind: type[SignalWireError] | None = None
    status: int | None = None
    outcome_unknown: bool | None = False
    sid: bool | None = False
    members: Mapping[str, Any] = field(default_factory=dict)
    drift: tuple[str, ...] | None = ()
    note: str = ""

    @property
    def words(self) -> str:
        """The promise in words, without whether the outcome is known."""
        if self.kind is None:
            words = "The number"
            if self.drift:
                words += ", and a warning in the log that names " + " and ".join(
                    f"`{pointer}`" if pointer else "the reply" for pointer in self.drift
                )
        else:
            words = f"`{self.kind.__name__}`"
            if self.status:
                words += f" with status {self.status}"
            if self.sid:
                words += ", the SID of the number in `sid`"
        return f"{words}. {self.note}".strip() if self.note else f"{words}."


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to fail.

    Shape: `server` says in words what happens. `scripts` are played one for each request, the
    last one for all that follow. `executed` is how many purchases the server executes, `requests`
    how many requests it sees: exactly that many, or from the first number to the second where
    chance decides; `connections` is how many connections, if that is promised. `before` purchases go well on the same client first, `idle_seconds` before the
    one that counts. The call takes `at_least_seconds`, and no more than `timeout` or
    `at_most_seconds`. `memory_bytes` is the most that it may take of memory.
    """

    name: str
    server: str
    scripts: tuple[Script, ...]
    promise: Promise
    executed: int = 1
    requests: int | tuple[int, int] = 1
    connections: int | None = None
    group: str = ""
    connect: Connect = "http"
    timeout: float = 10.0
    max_retries: int | None = None
    max_reply_bytes: int | None = None
    before: int = 0
    idle_seconds: float = 0.0
    at_least_seconds: float = 0.0
    at_most_seconds: float | None = None
    memory_bytes: int | None = None
    echoes: bool = False
    heals: bool = True

    @property
    def costs(self) -> bool:
        """Whether money is at stake: something was executed, or may have been, or nothing was sent."""
        return self.executed > 0 or self.promise.outcome_unknown is not False or self.is_unsent

    @property
    def is_unsent(self) -> bool:
        """Whether nothing is sent, and the caller must be told so."""
        return not self.requests and self.promise.outcome_unknown is False

    @property
    def fewest_requests(self) -> int:
        """The fewest requests that the server sees."""
        return self.requests if isinstance(self.requests, int) else self.requests[0]

    @property
    def most_requests(self) -> int:
        """The most requests that the server sees."""
        return self.requests if isinstance(self.requests, int) else self.requests[1]

    @property
    def quick(self) -> bool:
        """Whether it takes no time and needs nothing but a server on http."""
        plain = self.connect == "http" and self.memory_bytes is None and not self.before
        default = self.max_retries is None and self.max_reply_bytes is None
        return plain and default and self.timeout == 10.0 and not self.at_least_seconds


def bought(note: str = "", drift: tuple[str, ...] | None = (), **members: Any) -> Promise:
    """Promise the number."""
    return Promise(note=note, drift=drift, members=members)


def unsent(kind: type[SignalWireError] = APIConnectionError, note: str = "") -> Promise:
    """Promise an exception that says that nothing was sent."""
    return Promise(kind=kind, note=note)


def lost(status: int | None = None, *, sid: bool | None = False, note: str = "") -> Promise:
    """Promise an exception for a reply that is lost, or the end of it."""
    return Promise(kind=APIConnectionError, status=status, outcome_unknown=True, sid=sid, note=note)


def late(status: int | None = None, *, sid: bool | None = False, note: str = "") -> Promise:
    """Promise an exception for a reply that did not come in time, or the end of it."""
    return Promise(kind=APITimeoutError, status=status, outcome_unknown=True, sid=sid, note=note)


def broken(
    status: int = 201,
    *,
    sid: bool | None = False,
    drift: tuple[str, ...] = (),
    note: str = "",
) -> Promise:
    """Promise an exception for a success that breaks the contract."""
    return Promise(
        kind=APIResponseError,
        status=status,
        outcome_unknown=True,
        sid=sid,
        drift=drift,
        note=note,
    )


def refused(
    status: int,
    kind: type[APIStatusError] = APIStatusError,
    *,
    unknown: bool = False,
    note: str = "",
    **members: Any,
) -> Promise:
    """Promise the exception of a status."""
    return Promise(kind=kind, status=status, outcome_unknown=unknown, note=note, members=members)
