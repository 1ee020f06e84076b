"""The operations that need state: one function and one entry of HANDLERS for each."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from .contract import INVALID, NOT_FOUND, Contract
from .document import join
from .handler_types import ACCOUNT, Call, Reply
from .inventory import inventory
from .listing import list_numbers
from .numbering import describe
from .refused_numbers import NOT_AVAILABLE
from .request_checks import Refusal
from .sample_replies import sample_body
from .searches import list_available_countries, search_local, search_toll_free
from .state import Number, State

_NOT_ENABLED, _WRONG_NAME, _TOO_RECENT = 10001, 20002, 22121
_MOST_CHARACTERS = 64
_CAPABILITIES = ("voice", "sms", "mms", "fax")
_KEPT = timedelta(days=14)
_EXAMPLE_NUMBER = "+12025550199"


def purchase(call: Call, state: State) -> Reply:
    """Sell a number to the account in the path and charge for it, unless it is sold.

    Errors: `Refusal` 20002 for a name of a wrong length; `SpecError` if the spec allows a request
    without a number or account.
    """
    number = call.text(call.body, "PhoneNumber")
    if not 1 <= len(call.body.get("FriendlyName", "-")) <= _MOST_CHARACTERS:
        problem = f"FriendlyName is not 1 to {_MOST_CHARACTERS} characters long."
        raise Refusal(_WRONG_NAME, problem)
    able = dict.fromkeys(_CAPABILITIES, True)
    known: dict[str, Any] = {"origin": "signalwire", "capabilities": able}
    if offer := inventory().get(number):
        able["mms"] = offer.mms
        known["beta"] = offer.beta
    record = _new_record(call, state.now(), number, known)
    if not state.buy(call.account_sid, number, record):
        raise _not_available(call, f"{number} is already sold.")
    return call.success(record)


def import_number(call: Call, state: State) -> Reply:
    """Add a number of another provider to the account in the path.

    Errors: `Refusal` 10001 unless `State.allow_import` is True, 10000 if an account has the number.
    """
    if not state.allow_import:
        todo = "Start the mock with --allow-import, or set allow_import of MockServer"
        raise Refusal(_NOT_ENABLED, f"The operation is not enabled on the Space. {todo}.")
    number = call.text(call.body, "number")
    able = call.body.get("capabilities", _CAPABILITIES)
    known = {"origin": "hosted", "capabilities": {name: name in able for name in _CAPABILITIES}}
    if call.body.get("number_type") == "tollfree":
        known["verification_status"] = "Unverified"
    record = _new_record(call, state.now(), number, known)
    if not state.add(call.account_sid, number, record):
        raise _not_available(call, f"An account has {number} already.")
    return call.success(record)


def _not_available(call: Call, reason: str) -> Refusal:
    status = call.contract.status(call.operation, 422)
    return Refusal(INVALID, f"{NOT_AVAILABLE} {reason}", status=status)


def get(call: Call, state: State) -> Reply:
    """Return a number of the account. Errors: `Refusal` 20404 if the account has none."""
    return call.success(_find(call, state).record)


def update(call: Call, state: State) -> Reply:
    """Change what was sent, and the date of the last change. `AccountSid` transfers the number.

    Errors: `Refusal` 20404 for an unknown SID, 10000 for an account of another project.
    """
    number, account = _find(call, state), call.account_sid
    target = call.body.get(ACCOUNT, account)
    project = state.owner(account)
    if state.owner(target) not in (None, project):
        raise Refusal(INVALID, "The account belongs to another project.", status=422)
    changes = {"date_updated": format_datetime(state.now()), **_sent(call, number.record)}
    if ACCOUNT in call.body:
        # As it was written in the purchase: the path may write it in another case.
        before = str(number.record.get("account_sid", account))
        uri = str(number.record.get("uri", "")).replace(before, target)
        changes |= {"account_id": target, "account_sid": target, "uri": uri}
        if project:
            state.claim(target, project)
    state.change(number, target, {n: v for n, v in changes.items() if n in number.record})
    return call.success(number.record)


def delete(call: Call, state: State) -> Reply:
    """Release a number, so that it is for sale again.

    Errors: `Refusal` 20404 for an unknown SID, 22121 within 14 days of the purchase.
    """
    number = _find(call, state)
    if number.bought and state.now() < (free := number.bought + _KEPT):
        when = f"It can be released from {free:%d %b %Y %H:%M:%S} UTC."
        raise Refusal(_TOO_RECENT, f"The number was bought too recently. {when}")
    state.release(number)
    return call.success()


def example_record(contract: Contract) -> dict[str, Any] | None:
    """Return the number of the document's example; None if the document has none."""
    operation = contract.operations.get("get")
    response = operation.response(200) if operation and operation.name in HANDLERS else None
    record = sample_body(contract.document, response) if response else None
    if isinstance(record, dict) and {"account_sid", "sid"} <= record.keys():
        # Another number than in the example, which is still for sale.
        return {**record, "phone_number": _EXAMPLE_NUMBER}
    return None


def _find(call: Call, state: State) -> Number:
    number = state.find(call.account_sid, call.text(call.parameters["path"], "Sid"))
    if number is None:
        raise Refusal(NOT_FOUND, "The account has no number with this SID.")
    return number


def _sent(call: Call, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a record that the body sets: `sms_url` by `SmsUrl`."""
    return {name: call.body[_camel(name)] for name in record if _camel(name) in call.body}


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _new_record(call: Call, now: datetime, number: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Build the record of a phone number from what is known, the request and the spec."""
    account = call.account_sid
    sid = str(uuid4())
    national, country, is_toll_free = describe(number)
    own = {
        "account_id": account,
        "account_sid": account,
        "address_requirements": "none",
        "api_version": call.contract.version,
        "beta": False,
        "country_code": country,
        "date_created": format_datetime(now),
        "date_updated": format_datetime(now),
        "emergency_status": "Inactive",
        "friendly_name": call.body.get("FriendlyName", national),
        "phone_number": number,
        "sid": sid,
        "uri": call.path("IncomingPhoneNumbers", f"{sid}.json"),
    }
    if is_toll_free:
        own["verification_status"] = "Unverified"
    return _fill(call, {**own, **known})


def _fill(call: Call, own: Mapping[str, Any]) -> dict[str, Any]:
    """Complete `own` with the members of the reply that the request sets, or null.

    `sms_url` takes the value of `SmsUrl`, or its default. A required member without a value that
    can't be null is taken from the example in the spec.
    """
    body, response = call.operation.body, call.operation.response(call.success().status)
    sent = next(iter(body.media.values())).fields if body else {}
    record: dict[str, Any] = {}
    if response is None or response.media is None:
        return record
    document = call.contract.document
    example = sample_body(document, response)
    required = document.required(join(response.media.pointer, "schema"))
    for name, member in response.media.fields.items():
        source = _camel(name)
        value = call.body.get(source, sent[source].default if source in sent else None)
        if name in own or value is not None or "null" in member.types:
            record[name] = own.get(name, value)
        elif name in required:
            record[name] = example[name]
    return record


HANDLERS: dict[str, Callable[[Call, State], Reply]] = {
    "phone_numbers.purchase": purchase,
    "phone_numbers.list": list_numbers,
    "phone_numbers.get": get,
    "phone_numbers.update": update,
    "phone_numbers.delete": delete,
    "phone_numbers.import_number": import_number,
    "phone_numbers.list_available_countries": list_available_countries,
    "phone_numbers.search_local": search_local,
    "phone_numbers.search_toll_free": search_toll_free,
}
"""The operations that keep state, by tag and operationId. All others are answered from the spec."""
