"""One call: the time that it has, its attempts, and what became of each of them."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from ._errors import APIConnectionError, APITimeoutError, request_id_in, sid_in
from ._network import FOREVER, Deadline
from ._redaction import chain, forget, line, without
from ._reply import Reply, log, retry_after
from ._request import Request
from ._settings import VARIABLES

if TYPE_CHECKING:
    from ._client import BaseClient
    from ._transport import Head

_FIRST_WAIT, _LONGEST_WAIT, _LONGEST_RETRY_AFTER = 0.5, 8.0, 60.0


class Call:
    """One call: the time that it has, its attempts, and what became of each of them."""

    def __init__(self, client: BaseClient, request: Request) -> None:
        self._client = client
        self._retries = 0
        self._lost = self._uncertain = False
        self._at = time.monotonic() + (FOREVER if client.timeout is None else client.timeout)
        self.request = request
        self.next_attempt()

    def next_attempt(self) -> None:
        """Begin an attempt: nothing of it is sent, nothing of a reply is there."""
        self._began = time.monotonic()
        self.deadline = Deadline(self._at)
        self.head: Head | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self.decoded: bytes | None = None

    def is_full(self, part: bytes) -> bool:
        """Take a part of the body; whether that is more of it than the client bears."""
        self._parts.append(bytes(part))  # A transport of the caller's may give anything.
        self._size += len(part)
        self.deadline.left()
        return self._size > self._client.max_reply_bytes

    def replied(self) -> Reply:
        """Make the reply of what was received, whole as far as the transport says."""
        reply = self._reply("")
        self._log(str(reply.status_code), reply.headers)
        return reply

    def failed(self, error: Exception) -> Reply | APIConnectionError:
        """Make the best of an attempt that broke off: its reply, if that says it all."""
        forget(error, self._client._secrets)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self._log(type(error).__name__, {} if self.head is None else self.head.headers)
        over = isinstance(error, httpx.TimeoutException | TimeoutError)
        if self.head is None:
            malformed = isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
            self._lost = isinstance(error, httpx.TransportError | OSError) and not malformed
            return self._connection_error(line(reason), over, None, error)
        reply = self._reply("it is cut off" if 200 <= self.head.status_code < 300 else "")
        if not reply.is_success:
            return reply
        with contextlib.suppress(RecursionError, ValueError):
            if isinstance(json.loads(reply.content), dict | list):
                log.warning("%s: the reply broke off after its JSON", self.request.operation)
                return self._reply("")
        return self._connection_error(line(reason), over, reply, error)

    def pause(self, outcome: Reply | APIConnectionError) -> float | None:
        """Say how many seconds to wait before another attempt, or None if this was the last.

        A request that the server may have carried out is sent again only if that changes nothing.
        """
        if self._retries >= self._client.max_retries:
            return None
        wait = None
        if isinstance(outcome, Reply):
            if outcome.is_success:
                return None
            wait = retry_after(outcome.headers)
            declined = outcome.status_code == 429 or (
                outcome.status_code == 503 and wait is not None
            )
            again = self.request.is_idempotent and outcome.status_code in (408, 500, 502, 503, 504)
            if not declined and not again:
                return None
        elif not self._may_repeat(outcome):
            return None
        if wait is None:
            longest = min(_FIRST_WAIT * 2.0 ** min(self._retries, 10), _LONGEST_WAIT)
            wait = longest * random.uniform(0.5, 1)  # noqa: S311
        if wait > _LONGEST_RETRY_AFTER or wait >= self._at - time.monotonic():
            return None
        self._retries += 1
        # What one attempt may have done, no later one takes back.
        self._uncertain |= isinstance(outcome, APIConnectionError) and outcome.outcome_unknown
        self._uncertain |= isinstance(outcome, Reply) and outcome.outcome_unknown
        return wait

    def interrupted(self, error: BaseException) -> None:
        """Leave word of a request that was sent and whose reply nobody waits for any more."""
        forget(error, self._client._secrets)
        if self.deadline.sent and not self.request.is_safe:
            log.warning(
                "%s was cancelled after it was sent: it may have taken effect",
                self.request.operation,
            )

    def _may_repeat(self, error: APIConnectionError) -> bool:
        cause = error.__cause__
        if not self._lost or _certificate(cause):
            return False
        return self.request.is_idempotent or not error.outcome_unknown

    def _reply(self, problem: str) -> Reply:
        head = self.head
        if head is None:
            raise RuntimeError("there is no reply")
        limit = self._client.max_reply_bytes
        content = self.decoded
        if content is None:
            content, trouble = _decompressed(b"".join(self._parts), head.headers, limit)
            problem = trouble or problem
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
            secrets=self._client._secrets,
        )

    def _connection_error(
        self, reason: str, over: bool, partial: Reply | None, cause: Exception
    ) -> APIConnectionError:
        arrived = partial is not None or self.deadline.sent
        unknown = (arrived or self._uncertain) and not self.request.is_safe
        sid = sid_in(partial.content) if partial else None
        if arrived:
            what = "no whole reply"
        elif _certificate(cause):
            what = f"the certificate of {self._client.base_url} does not verify"
        else:
            what = f"no connection to {self._client.base_url}"
        why = f" within timeout={self._client.timeout} seconds" if over else f" ({reason})"
        tries = f", {self._retries + 1} attempts" if self._retries else ""
        if unknown:
            found = f" (the reply holds the sid {sid})" if sid else ""
            advice = f"It may have taken effect{found}: look before you repeat it."
        else:
            advice = f"Nothing was carried out, so it is safe to call again.{_hint(cause)}"
        error = (APITimeoutError if over else APIConnectionError)(
            f"{self.request.call}: {what}{why}{tries}\n{advice}",
            **self.request.told,
            message=f"{what}{why}",
            category="unavailable",
            advice=advice,
            outcome_unknown=unknown,
            **(partial.told if partial else {}),
        )
        error.__cause__ = cause
        return error

    def _log(self, outcome: str, headers: Mapping[str, str]) -> None:
        if not log.isEnabledFor(logging.DEBUG):
            return
        log.debug(
            "%s %s: %s in %.0f ms, retry %d, request id %s",
            self.request.method,
            self.request.route,
            outcome,
            1000 * (time.monotonic() - self._began),
            self._retries,
            line(without(request_id_in(headers) or "-", self._client._secrets), 80),
        )


def _decompressed(content: bytes, headers: Mapping[str, str], most: int) -> tuple[bytes, str]:
    """Undo the compression of a body, and say what is wrong with it.

    At most one byte more than `most` is written, however much the body unpacks to.
    """
    named = headers.get("content-encoding")
    codings = [coding.strip().lower() for coding in named.split(",")] if named else []
    for coding in reversed(codings):
        if coding in ("", "identity"):
            continue
        if coding not in ("gzip", "x-gzip", "deflate"):
            return content, f"its content coding {line(coding, 40)} is unknown"
        # Either form of deflate is sent: with the header of zlib, and without.
        bare = coding == "deflate" and content[:1] and content[0] & 0x0F != 8
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
        try:
            content = unpacker.decompress(content, most + 1)
        except zlib.error as error:
            return content, f"its {coding} is broken ({error})"
        if not unpacker.eof and len(content) <= most:
            return content, f"its {coding} is cut off"
    return content, ""


def _hint(error: Exception) -> str:
    for cause in chain(error):
        if isinstance(cause, socket.gaierror):
            return f" No such name was found: check host ({VARIABLES['host']})."
        # The one reason is that of OpenSSL from 3.2 on, the other that of those before.
        if getattr(cause, "reason", "") in ("RECORD_LAYER_FAILURE", "WRONG_VERSION_NUMBER"):
            return " The port speaks no TLS: plain http needs a host that begins with http://."
    return ""


def _certificate(error: BaseException | None) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain(error))
