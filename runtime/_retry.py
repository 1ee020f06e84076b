"""What may be sent again, and after which pause."""

from __future__ import annotations

import random
import ssl

from ._errors import APIConnectionError, APITimeoutError
from ._redaction import error_chain
from ._reply import Reply, retry_after
from ._request import Request

# In seconds.
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_RETRY_AFTER = 0.5, 8.0, 60.0


def may_repeat(
    request: Request,
    outcome: Reply | APIConnectionError,
    *,
    connection_lost: bool,
    unsent: bool,
    own_connections: bool,
) -> bool:
    """Whether a request may be sent again after this outcome.

    One that is not idempotent is sent again only if our network below httpcore knows that not one
    byte of it was written, or if the reply says that it was declined. Over a client of the
    caller's it is never sent again: that client may have sent it elsewhere, unseen.
    """
    if not (own_connections or request.is_idempotent):
        return False
    if isinstance(outcome, Reply):
        if request.is_idempotent:
            return outcome.status_code in (408, 429, 500, 502, 503, 504)
        return outcome.is_declined
    if is_certificate_error(outcome.__cause__):
        return False
    if isinstance(outcome, APITimeoutError) and own_connections:
        return False  # The time of the call is over, or a signal handler raised TimeoutError.
    return unsent or (request.is_idempotent and connection_lost)


def pause_before(retries: int, outcome: Reply | APIConnectionError) -> float | None:
    """Give the seconds to wait after an outcome, or None if the server asks for too many."""
    asked = retry_after(outcome.headers) if isinstance(outcome, Reply) else None
    if asked is not None:
        return asked if asked <= _LONGEST_RETRY_AFTER else None
    longest = min(_FIRST_PAUSE * 2.0 ** min(retries, 10), _LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)  # noqa: S311


def is_certificate_error(error: BaseException | None) -> bool:
    """Whether a connection failed because a certificate can't be verified."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error_chain(error))
