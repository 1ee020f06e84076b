"""Faults on demand: wrong, late or lost replies that a test asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from typing import Any

import h11

from .contract import Contract
from .engine import Answer

_LONGEST_SECONDS = 600
_MOST_TIMES = 1_000_000


class FaultError(ValueError):
    """A fault that makes no sense. The message says what is wrong and what is allowed."""


@dataclass(frozen=True)
class Fault:
    """What happens to one request. `MockServer.inject` says more of each member."""

    code: int | None = None
    """A published error code, which brings its status and body."""
    status: int | None = None
    """The HTTP status that is sent."""
    body: str | bytes | None = None
    """The body that is sent."""
    headers: Mapping[str, str] | None = None
    """Headers that are added, or replace those of the reply."""
    delay_seconds: float = 0
    """Seconds before the reply."""
    drop: bool = False
    """Whether the connection is closed without a reply."""
    carried_out: bool | None = None
    """Whether the request takes effect. None: as `has_effect` says."""
    operation: str | None = None
    """The operationId that it is for. None: whatever comes next."""

    @property
    def has_effect(self) -> bool:
        """Whether the request is carried out."""
        if self.carried_out is None:
            return self.code is None and self.status is None
        return self.carried_out

    def check(self, contract: Contract, times: int) -> None:
        """Refuse what contradicts itself or the contract. Errors: `FaultError`."""
        if replace(self, operation=None) in (Fault(), Fault(carried_out=True)):
            names = ", ".join(name for name in _TYPES if name not in ("operation", "times"))
            raise FaultError(f"an empty fault changes nothing: name one of {names}")
        for name, value in {**self._given(), "times": times}.items():
            allowed = _TYPES[name]
            if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
                kinds = " or ".join(kind.__name__ for kind in allowed)
                raise FaultError(f"{name} is not {kinds}")
        self._check_headers()
        if isinstance(self.body, str) and re.search("[\ud800-\udfff]", self.body):
            raise FaultError("body holds half of a surrogate pair: pass bytes")
        if self.operation is not None and self.operation not in contract.operations:
            known = ", ".join(contract.operations)
            raise FaultError(f"operation {self.operation} is not known: use one of {known}")
        if self.code is not None and self.code not in contract.codes:
            known = ", ".join(map(str, sorted(contract.codes)))
            raise FaultError(f"code {self.code} is not a published error code: use one of {known}")
        if self.code is not None and (self.status is not None or self.body is not None):
            raise FaultError("code brings its own status and body: leave them out")
        if self.status is not None and not 200 <= self.status <= 599:
            raise FaultError(f"status {self.status} can't be sent: use 200 to 599")
        if not 0 <= self.delay_seconds <= _LONGEST_SECONDS:
            raise FaultError(f"delay_seconds is {self.delay_seconds}: use 0 to {_LONGEST_SECONDS}")
        if self.drop and (self.status or self.body is not None or self.code or self.headers):
            raise FaultError("drop closes the connection: leave out code, status, body and headers")
        if not 1 <= times <= _MOST_TIMES:
            raise FaultError(f"times is {times}: use 1 to {_MOST_TIMES}")

    def _check_headers(self) -> None:
        for name, text in (self.headers or {}).items():
            if not isinstance(text, str):
                raise FaultError("headers has a value that is not text")
            try:  # h11 sends it, so h11 checks it.
                head = [(name.lower().encode("latin-1"), text.encode("latin-1"))]
                h11.Response(status_code=HTTPStatus.OK.value, headers=head)
            except (UnicodeEncodeError, h11.LocalProtocolError) as error:
                problem = f"headers has {name!r} with {text!r}, which can't be sent: {error}"
                todo = "Use a name without blanks, and one line of Latin-1 without blanks around it"
                raise FaultError(f"{problem}. {todo}") from error

    def apply(self, answer: Answer) -> Answer:
        """Change an answer."""
        if self.drop:
            return replace(answer, status=0, body=b"", headers={})
        given = self.body.encode() if isinstance(self.body, str) else self.body
        own = {name.lower(): text for name, text in (self.headers or {}).items()}
        return replace(
            answer,
            status=self.status or answer.status,
            body=answer.body if given is None else given,
            headers={**answer.headers, **own},
        )

    def _given(self) -> dict[str, Any]:
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in pairs if value != getattr(_NOTHING, name)}

    def __str__(self) -> str:
        """Show the fault as a call of `inject`."""
        return ", ".join(f"{name}={value!r}" for name, value in self._given().items())


_NOTHING = Fault()
_TYPES: dict[str, tuple[type, ...]] = {
    "code": (int,),
    "status": (int,),
    "body": (str, bytes),
    "headers": (Mapping,),
    "delay_seconds": (int, float),
    "drop": (bool,),
    "carried_out": (bool,),
    "operation": (str,),
    "times": (int,),
}


def read_members(value: Any) -> dict[str, Any]:
    """Return the arguments of `inject` that JSON holds. Errors: `FaultError` names the member."""
    names = ", ".join(_TYPES)
    if not isinstance(value, dict):
        raise FaultError(f"a fault is a JSON object with one or more of: {names}")
    for name in value.keys() - _TYPES.keys():
        raise FaultError(f"{name} is unknown: name one or more of {names}")
    return value
