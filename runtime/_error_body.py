"""Makes the error for a reply with an error status, whatever the shape of its body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ._contract import ADVICE, ADVICE_BY_STATUS, CATEGORY_BY_STATUS, CODES
from ._errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from ._redaction import Secrets, one_line, redact
from ._request import Request

_UNKNOWN = "It may have taken effect: check your account before retrying."
_GONE = "It is not there now: an earlier attempt, whose reply was lost, has probably removed it."
_CLASSES: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
_MESSAGES = ("message", "detail", "title", "error_description", "error")


class ErrorBody(NamedTuple):
    """What an error body says."""

    code: int | str | None
    message: str
    more_info: str | None


def status_error(
    request: Request,
    *,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    outcome_unknown: bool,
    secrets: Secrets,
) -> APIStatusError:
    """Make the error for a reply with a status other than 2xx."""
    # A secret that was written with escapes shows only now.
    code, message, more_info = (redact(part, secrets) for part in parse_error_body(content))
    category, meaning = CODES.get(code, (None, "")) if isinstance(code, int) else (None, "")
    if category is None:
        is_server = 500 <= status < 600
        category = CATEGORY_BY_STATUS.get(status, "unavailable" if is_server else "unknown")
    message = message or meaning or _phrase(status)
    is_gone = request.method == "DELETE" and status in (404, 410)
    unknown = (_GONE if is_gone else _UNKNOWN) if outcome_unknown else ""
    advice = unknown or ADVICE_BY_STATUS.get((category, status), ADVICE[category])
    if status == 401 and category != "credentials":
        advice = f"{advice} {ADVICE['credentials']}"
    if 300 <= status < 400:
        advice = f"Redirects are not followed: correct host. {unknown}".strip()
    numbered = f"status {status}" if code is None else f"status {status}, code {code}"
    more = f" (see {more_info})" if more_info else ""
    error = _CLASSES.get(status, ServerError if 500 <= status < 600 else APIStatusError)
    return error(
        f"{request.call}: {numbered}: {message}{more}\n{advice}",
        **request.context,
        status=status,
        headers=headers,
        content=content,
        code=code,
        message=message,
        more_info=more_info,
        category=category,
        advice=advice,
        outcome_unknown=outcome_unknown,
    )


def parse_error_body(content: bytes) -> ErrorBody:
    """Read an error body: the provider's, any other common JSON shape, HTML or plain text.

    Source: openapi.yaml, and what the platform and its proxies send elsewhere.
    """
    try:
        body = json.loads(content)
    except (RecursionError, ValueError):
        return ErrorBody(None, _plain_text(content), None)
    listed = body.get("errors") if isinstance(body, dict) else body
    items = listed if isinstance(listed, list) and listed else [body]
    code, more_info, messages = None, None, []
    for item in items[:5]:
        if not isinstance(item, dict):
            messages.append(one_line(item) if isinstance(item, str) else "")
            continue
        message = _first_text(item, *_MESSAGES) or ""
        attribute = _first_text(item, "attribute")
        messages.append(f"{attribute}: {message}" if attribute else message)
        code = _code(item.get("code")) if code is None else code
        more_info = more_info or _first_text(item, "more_info", "url")
    return ErrorBody(code, one_line("; ".join(filter(None, messages))), more_info)


def says_declined(content: bytes) -> bool:
    """Whether a body is the provider's error object with a code that says that it did nothing."""
    try:
        body = json.loads(content)
    except (RecursionError, ValueError):
        return False
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return False
    code = _code(body.get("code"))
    category, _ = CODES.get(code, ("unknown", "")) if isinstance(code, int) else ("unknown", "")
    return category not in ("unavailable", "unknown")


def _first_text(item: dict[str, Any], *names: str) -> str | None:
    texts = (item.get(name) for name in names)
    return next((one_line(text) for text in texts if isinstance(text, str) and text.strip()), None)


def _plain_text(content: bytes) -> str:
    text = content.decode("utf-8", "replace")[:4_000]  # The patterns take quadratic time.
    if title := re.search(r"<(title|h1)[^>]*>(.*?)</\1\s*>", text, re.DOTALL | re.IGNORECASE):
        text = title[2]
    return one_line(re.sub(r"<[^>]*>", " ", text)) if re.search(r"\w", text) else ""


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase}, and no reason in the reply"
    except ValueError:
        return "no reason in the reply"


def _code(value: Any) -> int | str | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch("[1-9][0-9]{0,8}", value) else one_line(value, 40) or None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
