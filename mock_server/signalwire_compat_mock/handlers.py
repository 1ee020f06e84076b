"""The operations that need state: one function and one entry of HANDLERS for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple
from uuid import uuid4

import phonenumbers

from .contract import INVALID, Contract, Operation
from .document import SpecError, join
from .request_checks import Refusal
from .sample_replies import sample_body, sample_status
from .state import State

ACCOUNT = "AccountSid"
"""The path parameter that names an account: the platform has it in every operation."""

_PURCHASE = "purchase"
_RESERVED = "+155500"
_NOT_AVAILABLE = "The number is not available."


class ReservedNumber(NamedTuple):
    """A number whose purchase is always refused, and with what."""

    phone_number: str
    status: int
    code: int
    when: str


@dataclass(frozen=True)
class Call:
    """A request that passed every check. `parameters` by location, then by name."""

    contract: Contract
    operation: Operation
    parameters: Mapping[str, Mapping[str, Any]]
    body: Any


@dataclass(frozen=True)
class Reply:
    """An answer before it is checked. Without documented content, `body` is None."""

    status: int
    body: Any = None


def purchase(call: Call, state: State) -> Reply:
    """Sell a number to the account of the path and charge for it, unless it is sold or reserved.

    Assumed, as no published code says it: a number that is sold, to whomever, is refused with
    status 422 and code 10000.
    Errors: `SpecError` for a request that names no number or account, as the spec may allow.
    """
    number = _text(call, call.body, "PhoneNumber")
    account = _text(call, call.parameters["path"], ACCOUNT)
    rows = reserved_numbers(call.contract) if number.startswith(_RESERVED) else []
    reserved = next((row for row in rows if row.phone_number == number), None)
    if reserved:
        message = f"{reserved.when} {number} is a reserved number of the mock."
        raise Refusal(reserved.code, message, status=reserved.status)
    record = _new_record(call, number)
    if not state.buy(account, number, record):
        message = f"{_NOT_AVAILABLE} {number} is sold already."
        raise Refusal(INVALID, message, status=call.contract.status(call.operation, 422))
    return Reply(sample_status(call.operation), record)


def _text(call: Call, values: Any, name: str) -> str:
    text = values.get(name) if isinstance(values, Mapping) else None
    if isinstance(text, str):
        return text
    problem = f"it needs {name}, and the contract allows a request without, or no text there"
    raise SpecError(f"{problem}. Require it in {call.contract.source}, as text.")


def reserved_numbers(contract: Contract) -> list[ReservedNumber]:
    """List the numbers that are always refused: "+155500" and the error code, as five digits.

    The codes are those of the spec whose status is documented for a purchase. Code 00000 is a
    number that is not available.
    """
    operation = contract.operations[_PURCHASE]
    status = contract.status(operation, 422)
    rows = [ReservedNumber(f"{_RESERVED}00000", status, INVALID, _NOT_AVAILABLE)]
    for code, entry in sorted(contract.codes.items()):
        if operation.response(entry.status):
            rows.append(ReservedNumber(f"{_RESERVED}{code:05}", entry.status, code, entry.when))
    return rows


def _new_record(call: Call, number: str) -> dict[str, Any]:
    """Fill in a phone number: what the caller sent, else the spec's default, else null."""
    account = call.parameters["path"][ACCOUNT]
    sid = str(uuid4())
    now = format_datetime(datetime.now(UTC))
    national, country, is_toll_free = _describe(number)
    own = {
        "account_id": account,
        "account_sid": account,
        "address_requirements": "none",
        "api_version": call.contract.version,
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": True},
        "country_code": country,
        "date_created": now,
        "date_updated": now,
        "emergency_status": "Inactive",
        "friendly_name": call.body.get("FriendlyName", national),
        "origin": "signalwire",
        "sid": sid,
        "uri": f"{call.contract.base_path}/Accounts/{account}/IncomingPhoneNumbers/{sid}.json",
    }
    if is_toll_free:
        own["verification_status"] = "Unverified"
    return _fill(call, sample_status(call.operation), own)


def _fill(call: Call, status: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Add to `own` each member that the request has too, `sms_url` for `SmsUrl`, else null.

    A required member that has neither, and can't be null, is that of the spec's example.
    """
    body, response = call.operation.body, call.operation.response(status)
    sent = next(iter(body.media.values())).fields if body else {}
    record: dict[str, Any] = {}
    example: dict[str, Any] = {}
    required: set[str] = set()
    if response and response.media:
        document = call.contract.document
        example = sample_body(document, response)
        required = document.required(join(response.media.pointer, "schema"))
    for name, member in (response.media.fields if response and response.media else {}).items():
        source = "".join(word.capitalize() for word in name.split("_"))
        value = call.body.get(source, sent[source].default if source in sent else None)
        if name in own or value is not None or "null" in member.shape.types:
            record[name] = own.get(name, value)
        elif name in required:
            record[name] = example[name]
    return record


def _describe(number: str) -> tuple[str, str, bool]:
    """Return the national format, the country and whether it is toll-free; "US" is assumed."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number, "US", False
    regions = (
        phonenumbers.region_code_for_number(parsed),
        phonenumbers.region_code_for_country_code(parsed.country_code or 0),
    )
    country = next((r for r in regions if r and r.isalpha()), "US")
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    kind = phonenumbers.number_type(parsed)
    return national, country, kind == phonenumbers.PhoneNumberType.TOLL_FREE


Handler = Callable[[Call, State], Reply]

HANDLERS: dict[str, Handler] = {_PURCHASE: purchase}
"""The operations that keep state, by operationId; all others answer from the spec alone."""
