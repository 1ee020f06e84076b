"""Numbers that are always refused, each with its own error code."""

from collections.abc import Iterator
from typing import NamedTuple

from .contract import INVALID, Contract, Operation
from .handler_types import ACCOUNT, Call
from .request_checks import Refusal

_RESERVED = "+155500"
NOT_AVAILABLE = "The number is not available."


class ReservedNumber(NamedTuple):
    """A number whose use is always refused, with this status and code."""

    phone_number: str
    status: int
    code: int
    when: str


def reserved_numbers(contract: Contract, operation: Operation) -> list[ReservedNumber]:
    """List the numbers that are always refused: "+155500", then the error code as five digits.

    Without a body and a path parameter, except the account, an operation refuses none.
    """
    if operation.body is None and operation.parameters["path"].fields.keys() <= {ACCOUNT}:
        return []
    status = contract.status(operation, 422)
    rows = [ReservedNumber(f"{_RESERVED}00000", status, INVALID, NOT_AVAILABLE)]
    for code, entry in sorted(contract.codes.items()):
        if operation.response(entry.status):
            rows.append(ReservedNumber(f"{_RESERVED}{code:05}", entry.status, code, entry.when))
    return rows


def refuse_reserved(call: Call) -> None:
    """Refuse a request with a reserved number in its path or body. Errors: `Refusal`."""
    named = [text for text in _texts(call) if text.startswith(_RESERVED)]
    rows = reserved_numbers(call.contract, call.operation) if named else []
    for reserved in (row for row in rows if row.phone_number in named):
        message = f"{reserved.when} {reserved.phone_number} is a reserved number of the mock."
        raise Refusal(reserved.code, message, status=reserved.status)


def _texts(call: Call) -> Iterator[str]:
    for values in (call.parameters["path"], call.body if isinstance(call.body, dict) else {}):
        yield from (value for value in values.values() if isinstance(value, str))
