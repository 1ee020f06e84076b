"""A reply as it came, and as callers get it."""

from __future__ import annotations

import datetime
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import define, field, frozen

from ._errors import APIResponseError, APIStatusError, SignalWireError, sid_in, status_error
from ._redaction import forget, line, without
from ._request import Request

if TYPE_CHECKING:
    from ._schema import Misfit, Rule

log = logging.getLogger("signalwire_compat")

T = TypeVar("T")


@define(kw_only=True)
class Reply:
    """A reply, as it came.

    Shape: `headers` maps names in any case; `content` is the body without transfer encodings and
    compression; `problem` says why it can't be used, if it can't; `uncertain` whether an earlier
    attempt may have taken effect. `secrets` is what no error may show.
    """

    request: Request
    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    problem: str = ""
    uncertain: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def outcome_unknown(self) -> bool:
        """Whether the request may have taken effect, if the reply itself does not say so."""
        if self.status_code == 503:
            refused = retry_after(self.headers) is not None
        else:
            refused = self.status_code in (307, 308) or 400 <= self.status_code < 500
            refused = refused and self.status_code not in (408, 499)
        return (self.uncertain or not refused) and not self.request.is_safe

    @property
    def text(self) -> str:
        """The body as text. Bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8", "replace")

    @property
    def whole(self) -> bytes:
        """The body of a reply that is no JSON. Errors: those of `error` if it is not all there."""
        if self.problem:
            raise self.error(self.problem)
        return self.content

    def decode(self, convert: Callable[[Any], T], rule: Rule) -> T:
        """Decode the body as JSON, then convert it; what `rule` does not allow is logged.

        Errors: those of `error`.
        """
        decoded = self._decoded(convert, rule)
        if isinstance(decoded, SignalWireError):
            forget(decoded.__cause__, self.secrets)
            raise decoded
        return decoded

    def _decoded(self, convert: Callable[[Any], T], rule: Rule) -> T | SignalWireError:
        if self.problem:
            return self.error(self.problem)
        try:
            value, misfits = rule.read(self._json())
            sid = value.get("sid") if isinstance(value, dict) else None
            if "sid" in rule.required and not (sid and isinstance(sid, str)):
                self._warn(self._cleared(misfits, rule))
                return self.error("it has no sid" if isinstance(value, dict) else "it is no object")
            converted = convert(value)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            deep = isinstance(error, RecursionError)
            said = "nested too deep" if deep else line(self._redacted(str(error)), 100)
            failure = self.error(f"it can't be decoded ({said})")
            failure.__cause__ = error
            return failure
        if misfits and not self.is_success:
            return self.error()
        if misfits:
            self._warn(self._cleared(misfits, rule))
        return converted

    def error(
        self, reason: str = "no such status is documented"
    ) -> APIStatusError | APIResponseError:
        """Make the error for this reply: by its status; if that is a success, for `reason`."""
        told = self.told
        if not self.is_success:
            return status_error(
                self.request.call,
                **self.request.told,
                **told,
                outcome_unknown=self.outcome_unknown,
            )
        sid = sid_in(told["content"])
        advice = "It changes nothing, and can be called again."
        if self.outcome_unknown:
            found = f" (sid {sid})" if sid else ""
            advice = f"It has probably taken effect{found}: look before you repeat it."
        return APIResponseError(
            f"{self.request.call}: status {self.status_code}, but the reply can't be used: "
            f"{self._redacted(reason)}\n{advice}",
            **self.request.told,
            **told,
            message=self._redacted(reason),
            category="unknown",
            advice=advice,
            outcome_unknown=self.outcome_unknown,
        )

    @property
    def told(self) -> dict[str, Any]:
        """What an error says of the reply: its status, headers and body, without secrets."""
        headers = {name: self._redacted(value) for name, value in self.headers.items()}
        return {"status": self.status_code, "headers": headers, "content": self._safe_content}

    @property
    def _safe_content(self) -> bytes:
        content = self.content
        for secret in self.secrets:
            content = content.replace(secret.encode(), b"[secret]")
        return content

    def _json(self) -> Any:
        if not self.content.strip():
            raise ValueError("it is empty")
        try:
            content: bytes | str = self.content
            if content[:2] == b'{"':  # To find its encoding takes as long as to read a tenth of it.
                content = self.content.decode("utf-8", "surrogatepass")
            return json.loads(content)
        except UnicodeDecodeError:
            pass  # It holds all of the reply, and would be the context of what comes next.
        log.warning("%s: the reply is not UTF-8", self.request.operation)
        return json.loads(self.text)

    def _cleared(self, misfits: list[Misfit], rule: Rule) -> list[Misfit]:
        if not misfits or self._safe_content == self.content:
            return misfits
        try:
            return rule.read(json.loads(self._redacted(self.text)))[1]
        except (RecursionError, ValueError):
            return [misfit._replace(came="[secret]") for misfit in misfits]

    def _warn(self, misfits: list[Misfit]) -> None:
        if not misfits:
            return
        told = "; ".join(
            f"{misfit.pointer or 'the body'}: expected {misfit.expected}, came {misfit.shown}"
            for misfit in misfits[:20]
        )
        more = f"; and {len(misfits) - 20} more" if len(misfits) > 20 else ""
        log.warning(
            "%s: the reply with status %d is not what the contract says: %s%s",
            self.request.operation,
            self.status_code,
            told,
            more,
        )

    def _redacted(self, text: str) -> str:
        cleared: str = without(text, self.secrets)
        return cleared


class Headers(Mapping[str, str]):
    """Headers of a reply, by names in any case; those of one name are joined with commas."""

    __slots__ = ("_values",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        values: dict[str, str] = {}
        for raw_name, raw_value in raw:
            name = raw_name.decode("latin-1").lower()
            try:
                value = raw_value.decode()
            except UnicodeDecodeError:
                value = raw_value.decode("latin-1")
            values[name] = f"{values[name]}, {value}" if name in values else value
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that the header `Retry-After` asks for: a number, or until a date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
        # One of the three forms of a date in HTTP names no zone: all are in UTC.
        date = date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
        return max(0.0, date.timestamp() - time.time())
    except (OverflowError, TypeError, ValueError):
        return None


@frozen(kw_only=True)
class Response(Generic[T]):
    """A documented reply, decoded.

    Shape: `content` is the body as it came, `parsed` the model that the contract names for
    `status_code`.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    parsed: T
