"""Faults on demand: what happens to a request instead of, or beside, the usual answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from http import HTTPStatus
from typing import Any

import h11

from .contract import Contract
from .engine import Answer, error_body

_LONGEST_SECONDS = 600
_MOST_TIMES = 1_000_000


class FaultError(ValueError):
    """A fault that makes no sense. The message says what is wrong and what would do."""


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `code`: it is refused with a published error code and the status that goes with it.
    `status`, `body`, `headers`: it is answered so, whatever the contract says; what is left out
    stays as it would be. `delay_seconds`: the answer comes later. `drop`: the connection is closed
    instead of an answer. `carried_out`: whether the request has its effect, such as a purchase;
    left out, it has, unless `code` or `status` says otherwise.
    """

    code: int | None = None
    status: int | None = None
    body: str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    drop: bool = False
    carried_out: bool | None = None

    @property
    def has_effect(self) -> bool:
        """Whether the request is carried out."""
        if self.carried_out is None:
            return self.code is None and self.status is None
        return self.carried_out

    def check(self, contract: Contract) -> None:
        """Refuse what contradicts itself or the contract. Errors: `FaultError`."""
        if self == Fault() or self == Fault(carried_out=True):
            raise FaultError("an empty fault changes nothing: name one of " + ", ".join(NAMES))
        self._check_types()
        if self.code is not None and self.code not in contract.codes:
            known = ", ".join(map(str, sorted(contract.codes)))
            raise FaultError(f"code {self.code} is no published error code: take one of {known}")
        if self.code is not None and (self.status is not None or self.body is not None):
            raise FaultError("code brings its own status and body: leave them out")
        if self.status is not None and not 200 <= self.status <= 599:
            raise FaultError(f"status {self.status} can't be sent: take one from 200 to 599")
        if not 0 <= self.delay_seconds <= _LONGEST_SECONDS:
            raise FaultError(f"delay_seconds is {self.delay_seconds}: take 0 to {_LONGEST_SECONDS}")
        if self.drop and (self.status or self.body is not None or self.code or self.headers):
            raise FaultError("drop closes the connection: code, status, body, headers go nowhere")

    def _check_types(self) -> None:
        for name in NAMES:
            if (value := getattr(self, name)) is not getattr(_NOTHING, name):
                _check_type(name, value)
        for name, text in self.headers.items():
            if not isinstance(name, str) or not isinstance(text, str):
                raise FaultError("headers holds a value that is no text")
            try:  # What sends it says whether it can be sent.
                head = [(name.lower().encode("latin-1"), text.encode("latin-1"))]
                h11.Response(status_code=HTTPStatus.OK.value, headers=head)
            except (UnicodeEncodeError, h11.LocalProtocolError) as error:
                todo = "Take a name without blanks, and one line of Latin-1 with none at its ends"
                problem = f"headers holds {name!r} with {text!r}, which can't be sent: {error}"
                raise FaultError(f"{problem}. {todo}") from error
        if isinstance(self.body, str) and re.search("[\ud800-\udfff]", self.body):
            raise FaultError("body holds half of a surrogate pair: give bytes")

    def apply(self, usual: Answer | None, contract: Contract) -> Answer:
        """Make the answer of the usual one, which is None if the request is not carried out."""
        answer = usual or Answer(HTTPStatus.OK.value, b"", {"content-type": "application/json"})
        headers = {**answer.headers, **{name.lower(): text for name, text in self.headers.items()}}
        if self.drop:
            return replace(answer, status=0, body=b"", headers={})
        if self.code is not None:
            entry = contract.codes[self.code]
            error = error_body(contract, self.code, entry.when, entry.status)
            body = json.dumps(error).encode()
            return replace(
                answer, status=entry.status, body=body, headers=headers, refusal=entry.when
            )
        given = self.body.encode() if isinstance(self.body, str) else self.body
        return replace(
            answer,
            status=self.status or answer.status,
            body=answer.body if given is None else given,
            headers=headers,
        )

    def __str__(self) -> str:
        """Say what was asked for, as it was asked for."""
        given = ((name, getattr(self, name)) for name in NAMES)
        said = (f"{name}={value!r}" for name, value in given if value != getattr(_NOTHING, name))
        return ", ".join(said)


NAMES = tuple(f.name for f in fields(Fault))
_NOTHING = Fault()
_TYPES: dict[str, tuple[type, ...]] = {
    "code": (int,),
    "status": (int,),
    "body": (str, bytes),
    "headers": (Mapping,),
    "delay_seconds": (int, float),
    "drop": (bool,),
    "carried_out": (bool,),
    "times": (int,),
}


def read_fault(value: Any) -> tuple[Fault, int]:
    """Read what a JSON request asks for: a fault, and how many requests it happens to.

    Errors: `FaultError` that names the member and what it may be.
    """
    if not isinstance(value, dict):
        raise FaultError("a fault is a JSON object with one or more of: " + ", ".join(NAMES))
    for name, member in value.items():
        if name not in _TYPES:
            raise FaultError(f"{name} is unknown: name one or more of {', '.join(_TYPES)}")
        _check_type(name, member)
    members = dict(value)
    times = members.pop("times", 1)
    return Fault(**members), times


def check_times(times: Any) -> None:
    """Refuse what is no count of requests, or a senseless one. Errors: `FaultError`."""
    _check_type("times", times)
    if not 1 <= times <= _MOST_TIMES:
        raise FaultError(f"times is {times}: take 1 to {_MOST_TIMES}")


def _check_type(name: str, value: Any) -> None:
    allowed = _TYPES[name]
    if not isinstance(value, allowed) or (bool not in allowed and isinstance(value, bool)):
        raise FaultError(f"{name} is no {' or '.join(kind.__name__ for kind in allowed)}")
