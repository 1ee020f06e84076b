"""The operations that need state: one function and one entry of HANDLERS for each."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple
from uuid import uuid4

import phonenumbers

from .contract import CREDENTIALS, INVALID, Contract, Operation
from .document import SpecError, join
from .request_checks import Refusal
from .sample_replies import sample_body, sample_status

ACCOUNT = "AccountSid"
"""The path parameter that holds the account SID, in every operation of the API."""

_PURCHASE = "purchase"
_RESERVED = "+155500"
_NOT_AVAILABLE = "The number is not available."


class ReservedNumber(NamedTuple):
    """A number whose purchase is always refused, with this status and code."""

    phone_number: str
    status: int
    code: int
    when: str


class State:
    """Accounts, their numbers and charges. Safe to use from several threads.

    Assumed: any UUID is a project, and the first project that uses an account owns it.
    """

    def __init__(self) -> None:
        """Start without accounts and numbers."""
        # Threads share these: each step is one operation of a dict, which is atomic.
        self._owners: dict[str, str] = {}
        self._numbers: dict[str, tuple[str, dict[str, Any]]] = {}

    def claim(self, account_sid: str, project: str) -> None:
        """Assign an account to a project. Errors: `Refusal` 20003 if another project owns it."""
        if self._owners.setdefault(account_sid.lower(), project) != project:
            raise Refusal(CREDENTIALS, "The account belongs to another project.")

    def buy(self, account_sid: str, number: str, record: dict[str, Any]) -> bool:
        """Charge an account for a number and store its record. False if the number is sold."""
        mine = (account_sid.lower(), copy.deepcopy(record))
        return self._numbers.setdefault(number, mine) is mine

    def phone_numbers(self, account_sid: str) -> list[dict[str, Any]]:
        """Return the records of an account's numbers, in order of purchase."""
        records = list(self._numbers.values())
        return [copy.deepcopy(r) for owner, r in records if owner == account_sid.lower()]

    def charges(self, account_sid: str) -> int:
        """Return how many purchases an account was charged for."""
        return len(self.phone_numbers(account_sid))

    def reset(self) -> None:
        """Forget every account, number and charge."""
        self._owners.clear()
        self._numbers.clear()


@dataclass(frozen=True)
class Call:
    """A request that passed every check. `parameters` are keyed by location, then by name."""

    contract: Contract
    operation: Operation
    parameters: Mapping[str, Mapping[str, Any]]
    body: Any


@dataclass(frozen=True)
class Reply:
    """A reply that is not yet checked. `body` is None if no content is documented."""

    status: int
    body: Any = None


def purchase(call: Call, state: State) -> Reply:
    """Sell a number to the account in the path and charge for it, unless it is sold or reserved.

    Errors: `SpecError` if the spec allows a request without a number or account.
    """
    number = _text(call, call.body, "PhoneNumber")
    account = _text(call, call.parameters["path"], ACCOUNT)
    if reserved := {row[0]: row for row in reserved_numbers(call.contract)}.get(number):
        message = f"{reserved.when} {number} is a reserved number of the mock."
        raise Refusal(reserved.code, message, status=reserved.status)
    record = _new_record(call, number)
    if not state.buy(account, number, record):
        message = f"{_NOT_AVAILABLE} {number} is already sold."
        raise Refusal(INVALID, message, status=call.contract.status(call.operation, 422))
    return Reply(sample_status(call.operation), record)


def _text(call: Call, values: Any, name: str) -> str:
    if isinstance(values, Mapping) and isinstance(text := values.get(name), str):
        return text
    problem = f"it needs {name} as text, but the contract allows a request without it"
    raise SpecError(f"{problem}. Make it a required string in {call.contract.source}.")


def reserved_numbers(contract: Contract) -> list[ReservedNumber]:
    """List the numbers that are always refused: "+155500", then the error code as five digits."""
    operation = contract.operations[_PURCHASE]
    status = contract.status(operation, 422)
    rows = [ReservedNumber(f"{_RESERVED}00000", status, INVALID, _NOT_AVAILABLE)]
    for code, entry in sorted(contract.codes.items()):
        if operation.response(entry.status):
            rows.append(ReservedNumber(f"{_RESERVED}{code:05}", entry.status, code, entry.when))
    return rows


def _new_record(call: Call, number: str) -> dict[str, Any]:
    """Build the record of a phone number from the request and the defaults of the spec."""
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
    """Complete `own` with the members of the reply that the request sets, or null.

    `sms_url` takes the value of `SmsUrl`, or its default. A required member without a value that
    can't be null is taken from the example in the spec.
    """
    body, response = call.operation.body, call.operation.response(status)
    sent = next(iter(body.media.values())).fields if body else {}
    record: dict[str, Any] = {}
    if response is None or response.media is None:
        return record
    document = call.contract.document
    example = sample_body(document, response)
    required = document.required(join(response.media.pointer, "schema"))
    for name, member in response.media.fields.items():
        source = "".join(word.capitalize() for word in name.split("_"))
        value = call.body.get(source, sent[source].default if source in sent else None)
        if name in own or value is not None or "null" in member.types:
            record[name] = own.get(name, value)
        elif name in required:
            record[name] = example[name]
    return record


def _describe(number: str) -> tuple[str, str, bool]:
    """Return the national format, the country ("US" if unknown), and if it is toll-free."""
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


HANDLERS: dict[str, Callable[[Call, State], Reply]] = {_PURCHASE: purchase}
"""The operations that keep state, by operationId. All others are answered from the spec."""
