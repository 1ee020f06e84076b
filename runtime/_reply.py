"""A reply as it arrived, and what an operation makes of it."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ._error_body import says_declined, status_error
from ._errors import APIResponseError, APIStatusError, find_sid
from ._redaction import Secret, Secrets, one_line, redact, scrub_traceback
from ._request import Request

if TYPE_CHECKING:
    from ._schema import Schema
    from ._violation import Violation

log = logging.getLogger(__package__)

T = TypeVar("T")


class Reply(NamedTuple):
    """A reply as it arrived.

    Attributes:
        headers: Names are matched in any case.
        content: The body without transfer encodings and compression.
        problem: Why the body can't be used; empty if it can.
        uncertain: Whether an earlier attempt of the call may have taken effect.
        secrets: Texts that no error may show.
    """

    request: Request
    status_code: int
    headers: Mapping[str, str]
    content: bytes
    problem: str = ""
    uncertain: bool = False
    secrets: Secrets = Secret(())

    def __repr__(self) -> str:
        return f"Reply(status_code={self.status_code})"  # Headers and body can repeat the token.

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_declined(self) -> bool:
        """Whether the reply says that nothing was carried out and that a later call may succeed."""
        if self.status_code == 503 and retry_after(self.headers) is not None:
            return says_declined(self.content)  # A cache says 503, too, after the server did it.
        return self.status_code == 429

    @property
    def outcome_unknown(self) -> bool:
        """Whether the request may have taken effect, as far as the reply tells."""
        refused = self.status_code in (307, 308) or 400 <= self.status_code < 500
        refused = (refused and self.status_code not in (408, 499)) or self.is_declined
        return (self.uncertain or not refused) and not self.request.is_safe

    @property
    def text(self) -> str:
        """The body as text. Bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8", "replace")

    @property
    def complete_content(self) -> bytes:
        """The body of a reply that is not JSON. Errors: those of `error` if it is incomplete."""
        if self.problem:
            raise self.error(self.problem)
        return self.content

    def decode(self, convert: Callable[[Any], T], schema: Schema) -> T:
        """Decode the body from JSON and convert it. Violations of `schema` are logged.

        Errors: those of `error`.
        """
        if self.problem:
            raise self.error(self.problem)
        problem, cause = "", None
        try:
            value, violations = schema.read(self._json())
            if "sid" in schema.required and not _has_sid(value):
                problem = "it has no sid" if isinstance(value, dict) else "it is not an object"
            elif violations and not self.is_success:
                problem = "it breaks the contract"
            elif self.is_success:
                problem = self._difference(value)
            if self.is_success:
                self._warn(violations)
            if not problem:
                return convert(value)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = one_line(redact(str(error), self.secrets), 100)
            problem, cause = f"it can't be decoded ({reason})", error
        # Raised outside of `except`: the frames there hold the reply.
        scrub_traceback(cause, self.secrets)
        raise self.error(problem) from cause

    def error(
        self, reason: str = "no such status is documented"
    ) -> APIStatusError | APIResponseError:
        """Make the error for this reply: from its status, or for `reason` if that is a success."""
        context = self.context
        unknown = self.outcome_unknown
        if not self.is_success:
            return status_error(
                self.request, **context, outcome_unknown=unknown, secrets=self.secrets
            )
        reason = redact(reason, self.secrets)
        advice = "It changes nothing, so it can be called again."
        if unknown:
            sid = find_sid(context["content"])
            found = f" (sid {sid})" if sid else ""
            advice = f"It has probably taken effect{found}: check your account before retrying."
        return APIResponseError(
            f"{self.request.call}: status {self.status_code}, but the reply can't be used: "
            f"{reason}\n{advice}",
            **self.request.context,
            **context,
            message=reason,
            category="unknown",
            advice=advice,
            outcome_unknown=unknown,
        )

    @property
    def context(self) -> dict[str, Any]:
        """The part of an error that describes the reply, without secrets."""
        content = self.content
        for secret in self.secrets.reveal():
            content = content.replace(secret.encode(), b"[secret]")
        if b"\\u" in content:  # A secret written with escapes would show in `error.body`.
            with contextlib.suppress(RecursionError, ValueError):
                body = json.loads(content)
                if (shown := redact(body, self.secrets)) != body:
                    content = json.dumps(shown).encode()
        headers = {name: redact(value, self.secrets) for name, value in self.headers.items()}
        return {"status": self.status_code, "headers": headers, "content": content}

    def _difference(self, value: Any) -> str:
        """Say which member is not about what was asked for; empty if none."""
        for member, argument, compare in self.request.repeats:
            asked = self.request.arguments.get(argument)
            answered = value.get(member) if isinstance(value, dict) else None
            if asked is None:
                continue
            if answered is None:
                log.warning("%s: the reply has no %s", self.request.operation, member)
            elif not is_same(answered, asked, compare):
                shown = [one_line(redact(repr(v), self.secrets), 40) for v in (asked, answered)]
                return f"it is about another {argument}: asked for {shown[0]}, got {shown[1]}"
        return ""

    def _json(self) -> Any:
        if not self.content.strip():
            raise ValueError("it is empty")
        try:
            return json.loads(self.content)
        except UnicodeDecodeError:
            pass  # The exception holds the whole reply: it must not be the context of another.
        log.warning("%s: the reply is not UTF-8", self.request.operation)
        return json.loads(self.text)

    def _warn(self, violations: list[Violation]) -> None:
        if not violations:
            return
        shown = [
            violation._replace(found=redact(violation.found, self.secrets)).drift
            for violation in violations[:20]
        ]
        more = f"; and {len(violations) - 20} more" if len(violations) > 20 else ""
        log.warning(
            "%s: the reply with status %d breaks the contract: %s%s",
            self.request.operation,
            self.status_code,
            redact("; ".join(shown), self.secrets),
            more,
        )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that the header `Retry-After` asks for, as a number or until a date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
        # One of the three date formats of HTTP has no zone: all are in UTC.
        date = date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
        return max(0.0, date.timestamp() - time.time())
    except (OverflowError, TypeError, ValueError):
        return None


def is_same(answered: Any, asked: Any, compare: str) -> bool:
    """Whether a member of a reply repeats an argument: exactly, or by its `digits` alone."""
    return bool(answered == asked) or _compared(answered, compare) == _compared(asked, compare)


def _compared(value: Any, compare: str) -> str:
    # The str() of an enum member is its name, not its value.
    text = str.__str__(value) if isinstance(value, str) else str(value)
    return re.sub("[^0-9]", "", text) if compare == "digits" else text


def _has_sid(value: Any) -> bool:
    sid = value.get("sid") if isinstance(value, dict) else None
    return isinstance(sid, str) and sid != ""
