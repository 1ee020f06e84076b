"""One call: its deadline, its attempts, and their outcome."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from ._errors import APIConnectionError, APITimeoutError, find_request_id, find_sid
from ._network import FOREVER, Deadline
from ._redaction import error_chain, one_line, redact, scrub_traceback
from ._reply import Reply, log
from ._request import Request
from ._retry import is_certificate_error, may_repeat, pause_before
from ._settings import VARIABLES, Settings

if TYPE_CHECKING:
    from ._transport import Head


class Call:
    """One call, from its first attempt to its last."""

    def __init__(self, settings: Settings, request: Request) -> None:
        self._settings = settings
        self._retries = 0
        self._lost = self._uncertain = False
        timeout = FOREVER if settings.timeout is None else settings.timeout
        self._ends_at = time.monotonic() + timeout
        self.request = request
        self.next_attempt()

    def next_attempt(self) -> None:
        """Begin an attempt: nothing is sent, and nothing has arrived."""
        self._began_at = time.monotonic()
        self.deadline = Deadline(self._ends_at)
        self.head: Head | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self.decoded: bytes | None = None

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
        if request.authenticate:
            headers["authorization"] = self._settings.authorization
        return headers

    def feed(self, part: bytes) -> bool:
        """Take a part of the body. True once `max_reply_bytes` is exceeded."""
        self._parts.append(bytes(part))  # A caller's transport may give any buffer.
        self._size += len(part)
        self.deadline.left()
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
        self._log_attempt(type(error).__name__, {} if self.head is None else self.head.headers)
        timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
        if self.head is None:
            malformed = isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
            self._lost = isinstance(error, httpx.TransportError | OSError) and not malformed
            return self._connection_error(one_line(reason), timed_out, None, error)
        reply = self._reply("it is cut off" if 200 <= self.head.status_code < 300 else "")
        if not reply.is_success:
            return reply
        with contextlib.suppress(RecursionError, ValueError):
            if isinstance(json.loads(reply.content), dict | list):
                log.warning("%s: the reply broke off after its JSON", self.request.operation)
                return self._reply("")
        return self._connection_error(one_line(reason), timed_out, reply, error)

    def pause_seconds(self, outcome: Reply | APIConnectionError) -> float | None:
        """Give the seconds to wait before another attempt, or None if this was the last."""
        if self._retries >= self._settings.max_retries:
            return None
        if not may_repeat(self.request, outcome, connection_lost=self._lost):
            return None
        pause = pause_before(self._retries, outcome)
        if pause is None or pause >= self._ends_at - time.monotonic():
            return None
        self._retries += 1
        # If one attempt may have taken effect, no later one changes that.
        self._uncertain |= outcome.outcome_unknown
        return pause

    def cancelled(self, error: BaseException) -> None:
        """Log that a cancelled call may have taken effect."""
        scrub_traceback(error, self._settings.secrets)
        if self.deadline.sent and not self.request.is_safe:
            log.warning(
                "%s was cancelled after it was sent: it may have taken effect",
                self.request.operation,
            )

    def _reply(self, problem: str) -> Reply:
        head = self.head
        if head is None:
            raise RuntimeError("there is no reply")
        limit = self._settings.max_reply_bytes
        content = self.decoded
        if content is None:
            content, failure = _decompress(b"".join(self._parts), head.headers, limit)
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
        self, reason: str, timed_out: bool, partial: Reply | None, cause: Exception
    ) -> APIConnectionError:
        arrived = partial is not None or self.deadline.sent
        unknown = (arrived or self._uncertain) and not self.request.is_safe
        if arrived:
            what = "incomplete reply"
        elif is_certificate_error(cause):
            what = f"the certificate of {self._settings.base_url} can't be verified"
        else:
            what = f"no connection to {self._settings.base_url}"
        limit = f" within timeout={self._settings.timeout} seconds"
        message = what + (limit if timed_out else f" ({reason})")
        attempts = f", {self._retries + 1} attempts" if self._retries else ""
        if unknown:
            sid = find_sid(partial.content) if partial else None
            found = f" (the reply has the sid {sid})" if sid else ""
            advice = f"It may have taken effect{found}: check your account before retrying."
        else:
            advice = f"Nothing was carried out, so it is safe to call again.{_hint(cause)}"
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


def _decompress(content: bytes, headers: Mapping[str, str], limit: int) -> tuple[bytes, str]:
    """Undo the compression of a body, up to one byte over `limit`; give it and what is wrong."""
    codings = [coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")]
    for coding in reversed(codings):
        if coding in ("", "identity"):
            continue
        if coding not in ("gzip", "x-gzip", "deflate"):
            return content, f"its content coding {one_line(coding, 40)} is unknown"
        # Servers send deflate with and without the header of zlib.
        bare = coding == "deflate" and content[:1] and content[0] & 0x0F != 8
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
        try:
            content = unpacker.decompress(content, limit + 1)
        except zlib.error as error:
            return content, f"its {coding} is broken ({error})"
        if not unpacker.eof and len(content) <= limit:
            return content, f"its {coding} is cut off"
    return content, ""


def _hint(error: Exception) -> str:
    for cause in error_chain(error):
        if isinstance(cause, socket.gaierror):
            return f" The host name was not found: check host ({VARIABLES['host']})."
        # OpenSSL gives the first reason from 3.2 on, the second before.
        if getattr(cause, "reason", "") in ("RECORD_LAYER_FAILURE", "WRONG_VERSION_NUMBER"):
            return " The port does not speak TLS: for plain http, begin host with http://."
    return ""
