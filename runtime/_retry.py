"""What may be sent again, and after which pause."""

from __future__ import annotations

import random
import ssl

from ._errors import APIConnectionError
from ._redaction import error_chain
from ._reply import Reply, retry_after
from ._request import Request

# In seconds.
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_RETRY_AFTER = 0.5, 8.0, 60.0


def may_repeat(
    request: Request, outcome: Reply | APIConnectionError, *, connection_lost: bool
) -> bool:
    """Whether a request may be sent again after this outcome.

    A request that may have taken effect is sent again only if it is idempotent.
    """
    if isinstance(outcome, Reply):
        status = outcome.status_code
        declined = status == 429 or (status == 503 and retry_after(outcome.headers) is not None)
        return declined or (request.is_idempotent and status in (408, 500, 502, 503, 504))
    if not connection_lost or is_certificate_error(outcome.__cause__):
        return False
    return request.is_idempotent or not outcome.outcome_unknown


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
