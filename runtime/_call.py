"""One call: its deadline, its attempts, and their outcome."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import httpx

from ._contract import VARIABLES
from ._decompress import decompress
from ._errors import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    SignalWireError,
    find_request_id,
    find_sid,
)
from ._redaction import error_chain, one_line, redact, scrub_traceback
from ._reply import Reply, log
from ._request import Request
from ._retry import is_certificate_error, may_repeat, pause_before
from ._settings import Settings

# An error that says in these words of httpx that there was no connection to send over.
_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
# A cause by which another library than httpcore says so: httpx-aiohttp calls a lost reply the same.
_NO_CONNECTION_CAUSES = {
    "ClientConnectorError",
    "ClientHttpProxyError",
    "ConnectionRefusedError",
    "ConnectionTimeoutError",
    "gaierror",
}
_TRUST = (
    "Nothing was carried out. If you trust the server, name a file with its certificate authority "
    "in SSL_CERT_FILE. REQUESTS_CA_BUNDLE is not read."
)
# In seconds. An attempt that has less would only run out of time.
_SHORTEST_ATTEMPT = 0.1
# The longest wait that every platform can do, in seconds; stands for no limit.
FOREVER = 4_000_000.0
T = TypeVar("T")


class Transport(Protocol):
    """Sends a request, over connections of its own or over a client of the caller's.

    Attributes:
        is_own: Whether the connections are our own.
        proxy_url: The proxy that the environment names for them.
    """

    is_own: bool
    proxy_url: str | None


class Witness(Protocol):
    """Knows what one attempt did on the network.

    Attributes:
        connecting: Whether a connection was opened. False also if something else did the sending.
        sent: Whether a byte of the request may have been written.
    """

    connecting: bool
    sent: bool

    def proves_unsent(self, error: Exception) -> bool:
        """Whether the attempt that failed with this error wrote nothing of the request."""
        ...

    def is_about(self, error: Exception) -> bool:
        """Whether the error is one of this attempt, not of a request that a hook made."""
        ...

    def distrust(self) -> None:
        """Use the connection no more."""
        ...


class Call:
    """One call, from its first attempt to its last."""

    def __init__(self, settings: Settings, request: Request, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._retries = 0
        self._uncertain = False
        timeout = FOREVER if settings.timeout is None else settings.timeout
        self._began = time.monotonic(), time.time()
        self._ends_at = self._began[0] + timeout
        self.request = request
        self.next_attempt()

    def next_attempt(self) -> None:
        """Begin an attempt: nothing is sent, and nothing has arrived."""
        self._began_at = time.monotonic()
        self._lost = self._unsent = False
        self.witness: Witness | None = None
        self._head: httpx.Response | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._decoded: bytes | None = None

    def left(self) -> float:
        """Seconds left for the call. Errors: `TimeoutError` when there are none."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time of the call is over")
        return min(left, FOREVER)

    def elapsed(self) -> float:
        """Seconds since the call began. The first clock may stand still while a computer sleeps."""
        return max(time.monotonic() - self._began[0], time.time() - self._began[1])

    def headers(self, user_agent: str) -> dict[str, str]:
        """Give the headers to send: those of the request win over those of the client."""
        request = self.request
        headers = {
            "accept": request.accept,
            "user-agent": user_agent,
            "accept-encoding": "identity",
            **self._settings.headers,
            **request.headers,
        }
        if request.content_type:
            headers["content-type"] = request.content_type
        return headers

    def begin_reply(self, response: httpx.Response) -> bool:
        """Take status and headers. True if the body is there already, as a hook has read it."""
        self._head = response
        try:
            self._decoded = response.content
        except httpx.ResponseNotRead:
            return response.is_stream_consumed
        return True

    def feed(self, part: bytes) -> bool:
        """Take a part of the body. True once `max_reply_bytes` is exceeded."""
        self._parts.append(bytes(part))  # A caller's transport may give any buffer.
        self._size += len(part)
        self.left()
        return self._size > self._settings.max_reply_bytes

    def replied(self) -> Reply:
        """Make the reply of an attempt that the transport ended without an error."""
        reply = self._reply("")
        self._log_attempt(str(reply.status_code), reply.headers)
        return reply

    def failed(self, error: Exception) -> Reply | APIConnectionError:
        """Make the outcome of an attempt that broke off: its reply, if that is complete enough."""
        scrub_traceback(error, self._settings.secrets)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self._log_attempt(type(error).__name__, {} if self._head is None else self._head.headers)
        timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
        if self._head is None:
            witness = self.witness
            proven = witness is not None and witness.proves_unsent(error)
            malformed = isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
            self._lost = isinstance(error, httpx.TransportError | OSError) and not malformed
            self._unsent = proven and self._lost
            arrived = not (witness is None or proven or self._was_refused(error, witness))
            return self._connection_error(one_line(reason), timed_out, None, error, arrived)
        reply = self._reply("it is cut off" if 200 <= self._head.status_code < 300 else "")
        if not reply.is_success:
            return reply
        with contextlib.suppress(RecursionError, ValueError):
            if isinstance(json.loads(reply.content), dict | list):
                log.warning("%s: the reply broke off after its JSON", self.request.operation)
                return self._reply("")
        return self._connection_error(one_line(reason), timed_out, reply, error, True)

    def pause_seconds(self, outcome: Reply | APIConnectionError) -> float | None:
        """Give the seconds to wait before another attempt, or None if this was the last."""
        if self._retries >= self._settings.max_retries:
            return None
        if not may_repeat(
            self.request,
            outcome,
            connection_lost=self._lost,
            unsent=self._unsent,
            own_connections=self._transport.is_own,
        ):
            return None
        pause = pause_before(self._retries, outcome)
        if pause is None or pause + _SHORTEST_ATTEMPT >= self._ends_at - time.monotonic():
            return None  # The error of a time-out would say less than this outcome.
        self._retries += 1
        # If one attempt may have taken effect, no later one changes that.
        self._uncertain |= outcome.outcome_unknown
        return pause

    def result(self, outcome: Reply | APIConnectionError, read: Callable[[Reply], T]) -> T:
        """Make the result of the call from the outcome of its last attempt."""
        if not isinstance(outcome, Reply):
            raise outcome
        try:
            return read(outcome)
        except APIResponseError:
            if self.witness is not None:
                self.witness.distrust()  # The next reply here may be about something else, too.
            raise
        except SignalWireError:
            raise
        except Exception as error:
            if outcome.outcome_unknown:
                self.interrupted(error)
            deep = isinstance(error, RecursionError)
            reason = "nested too deep" if deep else f"{type(error).__name__}: {error}"
            failure, cause = outcome.error(one_line(f"it can't be read ({reason})")), error
        # Raised outside of `except`: the frames there hold the reply.
        scrub_traceback(cause, self._settings.secrets)
        raise failure from cause

    def lose(self) -> None:
        """Remember that it may have taken effect: a look may use its connection now."""
        self._uncertain = True

    def broken_off(self, error: Exception) -> SignalWireError:
        """Make the error of a call that something else than its attempts ended."""
        self.interrupted(error)
        outcome = self.failed(error)
        if isinstance(outcome, Reply):
            return outcome.error(one_line(f"the call was broken off ({type(error).__name__})"))
        return outcome

    def interrupted(self, error: BaseException) -> None:
        """Log that a call that was not finished may have taken effect."""
        scrub_traceback(error, self._settings.secrets)
        witness = self.witness
        sent = witness is not None and (witness.sent or not witness.connecting)
        if (sent or self._uncertain) and not self.request.is_safe:
            sid = None
            with contextlib.suppress(Exception):  # There may be no reply.
                sid = find_sid(self._reply("").content)
            found = f" (the reply has the sid {sid})" if sid else ""
            log.warning(
                "%s was interrupted after it was sent: it may have taken effect%s",
                redact(self.request.call, self._settings.secrets),
                redact(found, self._settings.secrets),
            )

    def _was_refused(self, error: Exception, witness: Witness) -> bool:
        return _says_unconnected(error) and witness.is_about(error) and not witness.sent

    def _reply(self, problem: str) -> Reply:
        head = self._head
        if head is None:
            raise RuntimeError("there is no reply")
        limit = self._settings.max_reply_bytes
        content = self._decoded
        if content is None:
            content, failure = decompress(b"".join(self._parts), head.headers, limit)
            problem = failure or problem
        if len(content) > limit:
            content = content[:limit]
            problem = f"it is larger than max_reply_bytes={limit}"
        return Reply(
            request=self.request,
            status_code=head.status_code,
            headers=head.headers,
            content=content,
            problem=problem,
            uncertain=self._uncertain,
            secrets=self._settings.secrets,
        )

    def _connection_error(
        self,
        reason: str,
        timed_out: bool,
        partial: Reply | None,
        cause: Exception,
        arrived: bool,
    ) -> APIConnectionError:
        unknown = (arrived or self._uncertain) and not self.request.is_safe
        server = self._settings.url_of(self.request.server)
        if arrived:
            what = "incomplete reply"
        elif is_certificate_error(cause):
            what = f"the certificate of {server} can't be verified"
        else:
            what = f"no connection to {server}"
            if self._transport.proxy_url:
                what += f" over the proxy {self._transport.proxy_url}"
        limit = f" within timeout={self._settings.timeout} seconds"
        message = what + (limit if timed_out else f" ({reason})")
        attempts = f", {self._retries + 1} attempts" if self._retries else ""
        if unknown:
            sid = find_sid(partial.content) if partial else None
            found = f" (the reply has the sid {sid})" if sid else ""
            advice = f"It may have taken effect{found}: check your account before retrying."
        else:
            what = "It changes nothing" if self.request.is_safe else "Nothing was carried out"
            advice = f"{what}, so it is safe to call again.{self._hint(cause)}"
            if is_certificate_error(cause):
                advice = _TRUST
        error = (APITimeoutError if timed_out else APIConnectionError)(
            f"{self.request.call}: {message}{attempts}\n{advice}",
            **self.request.context,
            message=message,
            category="unavailable",
            advice=advice,
            outcome_unknown=unknown,
            **(partial.context if partial else {}),
        )
        error.__cause__ = cause
        return error

    def _hint(self, error: Exception) -> str:
        if self._transport.proxy_url:
            return " The proxy comes from the environment: check HTTPS_PROXY and NO_PROXY."
        for cause in error_chain(error):
            if isinstance(cause, socket.gaierror):
                return f" The host name was not found: check host ({VARIABLES['host']})."
            # OpenSSL gives the first reason from 3.2 on, the second before.
            if getattr(cause, "reason", "") in ("RECORD_LAYER_FAILURE", "WRONG_VERSION_NUMBER"):
                return " The port does not speak TLS: for plain http, begin host with http://."
        return ""

    def _log_attempt(self, outcome: str, headers: Mapping[str, str]) -> None:
        if log.isEnabledFor(logging.DEBUG):
            request_id = redact(find_request_id(headers) or "-", self._settings.secrets)
            log.debug(
                "%s %s: %s in %.0f ms, retry %d, request id %s",
                self.request.method,
                self.request.route,
                outcome,
                1000 * (time.monotonic() - self._began_at),
                self._retries,
                one_line(request_id, 80),
            )


def _says_unconnected(error: Exception) -> bool:
    """Whether an error says that there was no connection to send over."""
    cause = error.__cause__
    known = cause is None or type(cause).__module__.startswith("httpcore")
    causes = {kind.__name__ for kind in type(cause).__mro__}
    return isinstance(error, _NO_CONNECTION) and (known or bool(_NO_CONNECTION_CAUSES & causes))
