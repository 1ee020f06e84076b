"""The list of an account's numbers, page by page."""

import hashlib
import re
from urllib.parse import urlencode

from .handler_types import Call, Reply
from .numbering import NumberPattern
from .request_checks import Refusal
from .state import Number, State

_WRONG_TOKEN = 54453
_PAGE_SIZE = 50


def list_numbers(call: Call, state: State) -> Reply:
    """Return a page of the account's numbers, in the order in which they were added.

    Errors: `Refusal` 54453 for a wrong or missing token, 90000 for a wrong pattern.
    """
    page, size = call.query("Page") or 0, call.query("PageSize") or _PAGE_SIZE
    numbers = _filtered(call, state)
    after = _after(call, page, size)
    earlier = [number for number in numbers if number.place <= after]
    later = numbers[len(earlier) :]
    found, rest = later[:size], later[size:]
    place_before = earlier[-size - 1].place if len(earlier) > size else 0
    return call.success(
        {
            "uri": _uri(call, page, size, after),
            "first_page_uri": _uri(call, 0, size),
            "next_page_uri": _uri(call, page + 1, size, found[-1].place) if rest else None,
            "previous_page_uri": _uri(call, page - 1, size, place_before) if page else None,
            "page": page,
            "page_size": size,
            "incoming_phone_numbers": [number.record for number in found],
        }
    )


def _filtered(call: Call, state: State) -> list[Number]:
    pattern = NumberPattern(call.query("PhoneNumber") or "", "PhoneNumber")
    name = call.query("FriendlyName")
    return [
        number
        for number in state.numbers(call.account_sid)
        if pattern.matches(number.phone_number)
        if name is None or number.record.get("friendly_name") == name
    ]


def _after(call: Call, page: int, size: int) -> int:
    """Return the place after which the page begins: the token holds it."""
    token = call.query("PageToken")
    if token is None and not page:
        return 0
    found = re.fullmatch("PA([0-9]{10})[0-9a-f]{8}", token or "")
    if found and token == _token(call, page, size, int(found[1])):
        return int(found[1])
    problem = "is not one that this list gave for this page" if token else "is missing"
    raise Refusal(_WRONG_TOKEN, f"PageToken {problem}. Follow next_page_uri instead.")


def _filters(call: Call) -> dict[str, str]:
    names = ("PhoneNumber", "FriendlyName")
    return {name: value for name in names if (value := call.query(name)) is not None}


def _token(call: Call, page: int, size: int, after: int) -> str:
    """Make a token that is good for one page, size, account and set of filters."""
    asked = repr((call.account_sid.lower(), page, size, after, _filters(call)))
    return f"PA{after:010}{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def _uri(call: Call, page: int, size: int, after: int = 0) -> str:
    query = {**_filters(call), "Page": page, "PageSize": size}
    if page:
        query["PageToken"] = _token(call, page, size, after)
    return f"{call.path('IncomingPhoneNumbers')}?{urlencode(query)}"
