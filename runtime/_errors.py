"""Everything that this package raises.

SignalWireError              one `except` is enough
├─ InvalidRequestError       refused before anything was sent; also a ValueError
├─ APIConnectionError        no reply, or not a whole one
│  └─ APITimeoutError        the call took longer than `timeout`
├─ APIResponseError          a success whose reply is not what the contract says
└─ APIStatusError            a reply with a status that is not 2xx
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
from http import HTTPStatus
from typing import Any

from ._contract import ADVICE, ADVICE_BY_STATUS, CATEGORY_BY_STATUS, CODES, Category
from ._redaction import line

_REQUEST_ID = re.compile(
    "(?:x-)?(?:request|correlation|trace)-?id|x-amzn-(?:requestid|trace-id)|cf-ray"
)
_UNKNOWN = "It may have taken effect: look at what the account has before you repeat it."


class SignalWireError(Exception):
    """Base of everything that this package raises.

    Shape: what is not known is None. `operation` is the operation as `tag.name`, `arguments` what
    it was given, by the names of the contract. `status` is the HTTP status of the reply, `headers`
    has its headers with names in lower case, and `content` its body as far as it came. `code`,
    `message` and `more_info` are the error of the platform, `category` its kind, and `advice` what
    to do about it. `outcome_unknown` is True when the request may have taken effect although no
    answer says so: look at what is there before you repeat it. The text is at most two lines.
    Source: the schema Error of openapi.yaml.
    """

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
        self.operation = operation
        self.arguments = dict(arguments or {})
        self.status = status
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.content = content
        self.code = code
        self.message = message
        self.more_info = more_info
        self.category = category
        self.advice = advice
        self.outcome_unknown = outcome_unknown

    @property
    def body(self) -> Any:
        """The body of the reply, decoded; None if it is no JSON."""
        try:
            return json.loads(self.content or b"")
        except (RecursionError, ValueError):
            return None

    @property
    def sid(self) -> str | None:
        """The SID that stands in the reply, also in one that is cut off."""
        return sid_in(self.content or b"")

    @property
    def request_id(self) -> str | None:
        """What the provider calls the request, if a header of the reply says it."""
        return request_id_in(self.headers)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


class InvalidRequestError(SignalWireError, ValueError):
    """Input that was refused before anything was sent.

    Shape: `problems` has one sentence for each value that can't be sent.
    """

    def __init__(self, text: str = "", *, problems: list[str] | None = None, **known: Any) -> None:
        super().__init__(text, **{"category": "input", "message": text, **known})
        self.problems = problems or [text]


class APIConnectionError(SignalWireError):
    """No reply, or not a whole one. The `__cause__` is the error of the transport.

    Shape: `outcome_unknown` is False when nothing can have reached the server. `status`, `headers`
    and `content` are those of a reply that was cut off.
    """


class APITimeoutError(APIConnectionError):
    """The call took longer than the `timeout` of the client, in seconds."""


class APIResponseError(SignalWireError):
    """A reply that says success and is not what the contract says.

    Shape: `content` is the reply as it came, `body` the same as JSON, if it is any.
    """


class APIStatusError(SignalWireError):
    """A reply with a status that is not 2xx. Redirects are not followed, and end here."""


class BadRequestError(APIStatusError):
    """400: the request can't be understood, or a value is not allowed."""


class AuthenticationError(APIStatusError):
    """401: the credentials are wrong, or the API token lacks the scope that is needed."""


class PermissionDeniedError(APIStatusError):
    """403: the credentials are right, and do not allow this."""


class NotFoundError(APIStatusError):
    """404: there is no such resource."""


class ConflictError(APIStatusError):
    """409: the resource is in a state that does not allow this."""


class UnprocessableEntityError(APIStatusError):
    """422: the request was understood and refused."""


class RateLimitError(APIStatusError):
    """429: there were too many requests."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


_CLASSES: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def status_error(
    call: str,
    *,
    operation: str,
    arguments: Mapping[str, Any],
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    outcome_unknown: bool,
) -> APIStatusError:
    """Make the error for a reply whose status is not 2xx, whatever its body is."""
    code, message, more_info = _said(content)
    category, when = CODES.get(code, (None, "")) if isinstance(code, int) else (None, "")
    if category is None:
        category = CATEGORY_BY_STATUS.get(
            status, "unavailable" if 500 <= status < 600 else "unknown"
        )
    message = message or when or _phrase(status)
    own = ADVICE_BY_STATUS.get((category, status), ADVICE[category])
    advice = _UNKNOWN if outcome_unknown else own
    if status == 401 and category != "credentials":
        advice = f"{advice} {ADVICE['credentials']}"
    if 300 <= status < 400:
        advice = f"Redirects are not followed: correct host. {_UNKNOWN if outcome_unknown else ''}"
    numbered = f"status {status}" if code is None else f"status {status}, code {code}"
    more = f" (see {more_info})" if more_info else ""
    return _CLASSES.get(status, ServerError if 500 <= status < 600 else APIStatusError)(
        f"{call}: {numbered}: {message}{more}\n{advice.strip()}",
        operation=operation,
        arguments=arguments,
        status=status,
        headers=headers,
        content=content,
        code=code,
        message=message,
        more_info=more_info,
        category=category,
        advice=advice.strip(),
        outcome_unknown=outcome_unknown,
    )


def request_id_in(headers: Mapping[str, str]) -> str | None:
    """Find what the provider or a proxy calls a request; no header of that kind is documented."""
    known = (value for name, value in headers.items() if _REQUEST_ID.fullmatch(name.lower()))
    return next(known, None)


def sid_in(content: bytes) -> str | None:
    """Find the SID in a reply: of its object, or else in what came of it."""
    found = re.search(rb'"sid"\s*:\s*"?([\w.:-]{1,100})', content)
    return found[1].decode("ascii", "replace") if found and found[1] != b"null" else None


def _said(content: bytes) -> tuple[int | str | None, str, str | None]:
    """Read code, message and URL from an error body: each shape that is known, or any text.

    Source: openapi.yaml, and what the platform and its proxies send elsewhere.
    """
    try:
        body = json.loads(content)
    except (RecursionError, ValueError):
        return None, _prose(content), None
    listed = body.get("errors") if isinstance(body, dict) else body
    items = listed if isinstance(listed, list) and listed else [body]
    code, more_info, messages = None, None, []
    for item in items[:5]:
        if not isinstance(item, dict):
            messages.append(line(item) if isinstance(item, str) else "")
            continue
        texts = (
            item.get(name) for name in ("message", "detail", "title", "error_description", "error")
        )
        message = next((line(text) for text in texts if isinstance(text, str) and text.strip()), "")
        attribute = item.get("attribute")
        messages.append(
            f"{line(attribute)}: {message}" if isinstance(attribute, str) and attribute else message
        )
        code = _code(item.get("code")) if code is None else code
        if more_info is None:
            urls = (item.get(name) for name in ("more_info", "url"))
            more_info = next((line(url) for url in urls if isinstance(url, str) and url), None)
    return code, line("; ".join(filter(None, messages))), more_info


def _prose(content: bytes) -> str:
    text = content.decode("utf-8", "replace")[:4_000]  # Patterns take the square of it.
    if title := re.search(r"<(title|h1)[^>]*>(.*?)</\1\s*>", text, re.DOTALL | re.IGNORECASE):
        text = title[2]
    return line(re.sub(r"<[^>]*>", " ", text)) if re.search(r"\w", text) else ""


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase}, and no reason in the reply"
    except ValueError:
        return "no reason in the reply"


def _code(value: Any) -> int | str | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch("[1-9][0-9]{0,8}", value) else line(value, 40) or None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _restored(
    kind: type[SignalWireError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> SignalWireError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error
