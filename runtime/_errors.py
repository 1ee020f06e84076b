"""Everything that this package raises.

SignalWireError              one `except` is enough
├─ InvalidRequestError       refused before anything was sent; also a ValueError
├─ APIConnectionError        no reply, or an incomplete one
│  └─ APITimeoutError        the call took longer than `timeout`
├─ APIResponseError          a success whose reply breaks the contract
└─ APIStatusError            a reply with a status other than 2xx
   ├─ BadRequestError           400
   ├─ AuthenticationError       401
   ├─ PermissionDeniedError     403
   ├─ NotFoundError             404
   ├─ ConflictError             409
   ├─ UnprocessableEntityError  422
   ├─ RateLimitError            429
   └─ ServerError               5xx
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._contract import Category

if TYPE_CHECKING:
    from ._look_up import Look

_JSON_TOKEN = re.compile(rb'[{}\[\]:]|"(?:[^"\\]|\\.)*"?|[^\s{}\[\]:,"]+', re.DOTALL)
_NO_SID = (b"null", b"true", b"false")
_REQUEST_ID = re.compile(
    "(?:x-)?(?:request|correlation|trace)-?id|x-amzn-(?:requestid|trace-id)|cf-ray"
)


class SignalWireError(Exception):
    """Base class of every error that this package raises.

    The message has at most two lines. An attribute is None where the value is not known.
    """

    looks: tuple[Look, ...] = ()
    """What the client saw when it looked for the outcome, oldest first. See `look_up`."""

    def __init__(
        self,
        text: str = "",
        *,
        operation: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        code: int | str | None = None,
        message: str | None = None,
        more_info: str | None = None,
        category: Category | None = None,
        advice: str | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(text)
        self.operation: str | None = operation
        """The operation as `tag.name`."""
        self.arguments: dict[str, Any] = dict(arguments or {})
        """The arguments of the call, by their names in the contract."""
        self.status: int | None = status
        """HTTP status of the reply."""
        self.headers: dict[str, str] = {
            name.lower(): value for name, value in (headers or {}).items()
        }
        """Headers of the reply, names in lower case."""
        self.content: bytes | None = content
        """Body of the reply, as far as it arrived."""
        self.code: int | str | None = code
        """Error code of the platform."""
        self.message: str | None = message
        """Error message of the platform."""
        self.more_info: str | None = more_info
        """URL of a page about the error."""
        self.category: Category | None = category
        """Kind of the error."""
        self.advice: str | None = advice
        """What to do about it."""
        self.outcome_unknown: bool = outcome_unknown
        """True if the request may have taken effect although no reply says so. Check what exists
        before you retry.
        """

    @property
    def body(self) -> Any:
        """Body of the reply, decoded from JSON; None if it is not JSON."""
        try:
            return json.loads(self.content or b"")
        except (RecursionError, ValueError):
            return None

    @property
    def sid(self) -> str | None:
        """SID of what the reply is about, even if the reply is cut off."""
        return find_sid(self.content or b"")

    @property
    def request_id(self) -> str | None:
        """The provider's ID of the request, if a header of the reply has one."""
        return find_request_id(self.headers)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.args, self.__dict__)


class InvalidRequestError(SignalWireError, ValueError):
    """Input that was refused before anything was sent."""

    def __init__(self, text: str = "", *, problems: list[str] | None = None, **known: Any) -> None:
        super().__init__(text, **{"category": "input", "message": text, **known})
        self.problems: list[str] = problems or [text]
        """One sentence for each value that can't be sent."""


class APIConnectionError(SignalWireError):
    """No reply, or an incomplete one. `__cause__` is the error of the transport.

    `outcome_unknown` is False if nothing can have reached the server. `status`, `headers` and
    `content` hold what arrived of a reply that was cut off.
    """


class APITimeoutError(APIConnectionError):
    """The call took longer than the client's `timeout` in seconds."""


class APIResponseError(SignalWireError):
    """A reply that reports success but breaks the contract.

    `content` is the reply as it arrived, `body` the same decoded from JSON.
    """


class APIStatusError(SignalWireError):
    """A reply with a status other than 2xx. Redirects are not followed and end here, too."""


class BadRequestError(APIStatusError):
    """400: the request is malformed, or a value is not allowed."""


class AuthenticationError(APIStatusError):
    """401: the credentials are wrong, or the API token lacks a scope."""


class PermissionDeniedError(APIStatusError):
    """403: the credentials are right but do not allow this."""


class NotFoundError(APIStatusError):
    """404: the resource does not exist."""


class ConflictError(APIStatusError):
    """409: the state of the resource does not allow this."""


class UnprocessableEntityError(APIStatusError):
    """422: the request was understood and refused."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


def find_request_id(headers: Mapping[str, str]) -> str | None:
    """Find the ID of a request in the headers that providers and proxies use for it."""
    found = (value for name, value in headers.items() if _REQUEST_ID.fullmatch(name.lower()))
    return next(found, None)


def find_sid(content: bytes) -> str | None:
    """Find the member `sid` near the beginning of a JSON object, even if its end is missing."""
    depth, name, colon = 0, b"", b""
    for found in _JSON_TOKEN.finditer(content[:262_144]):
        token = found[0]
        if (depth, name, colon) == (1, b'"sid"', b":"):
            sid = token.strip(b'"')
            known = re.fullmatch(rb"[\w.:-]{1,100}", sid) and token not in _NO_SID
            return sid.decode("ascii", "replace") if known else None
        # What guards JSON against scripts begins with brackets that nothing opened.
        depth = max(depth + (token in (b"{", b"[")) - (token in (b"}", b"]")), 0)
        name, colon = colon, token
    return None


def _unpickle(
    kind: type[SignalWireError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> SignalWireError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


# Tracebacks and pickles name the public place of a class, not this private module.
for _class in list(vars().values()):
    if isinstance(_class, type) and issubclass(_class, SignalWireError):
        _class.__module__ = __package__
