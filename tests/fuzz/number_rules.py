"""What becomes of phone numbers in a sequence of calls: a model of the provider's rules.

Like `further_rules`, this knows operations by name: neither schemas nor links say these rules.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import phonenumbers
import signalwire_compat
from hypothesis import strategies as st
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.case_sources import Operation
from signalwire_compat_fuzz.client_calls import Outcome, python_name
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.expected_reply import CLASSES
from signalwire_compat_fuzz.near_valid import changed

from tests.conftest import PROJECT

from .links import operation_id
from .search_rules import MOST_FOUND, assert_offer, filters, is_asked_for

ACCOUNTS = (PROJECT, "1c9e2f6e-57d4-4b0e-8f52-6a7f0f6f7a01")
DAYS = (1, 13, 14)
"""Steps of the clock: a number can be released 14 days after its purchase."""
_KEPT = 14
_NULLABLE = {
    name
    for name, member in doc.DOCUMENT["components"]["schemas"]["IncomingPhoneNumber"][
        "properties"
    ].items()
    if doc.allows_type(member, "null")
}
_SEARCHES = {"local": "Local", "toll_free": "TollFree"}
_SOLD, _TOO_RECENT, _UNKNOWN = (422, 10000), (422, 22121), (404, 20404)
_ASKED = {"purchase": "PhoneNumber", "import_number": "number"}
"""The argument that names the number, by operation."""
_EXAMPLES = [
    f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number(region))
]
"""A number of each country."""
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class Number:
    """A number of an account; `bought` is the day of its purchase, None for an imported one."""

    record: dict[str, Any]
    account: str
    bought: int | None


class Numbers:
    """The numbers that two accounts of a project must have after the calls so far."""

    def __init__(self) -> None:
        self.owned: dict[str, Number] = {}
        self.offered: dict[str, tuple[str, str]] = {}
        self.offers: dict[str, dict[str, Any]] = {}
        self.sids: set[str] = set()
        self.released: set[str] = set()
        self.day = 0

    def prepare(self, case: AnyCase, draw: Draw) -> AnyCase:
        """Let a case ask for what may exist: random values name nothing."""
        path, query = {**case.path_parameters}, {**case.query}
        known = doc.parameter_schemas(case)
        if "AccountSid" in path:
            path["AccountSid"] = draw(st.sampled_from(ACCOUNTS))
        if "Sid" in path and self.owned:
            path["Sid"] = draw(st.sampled_from([*self.owned]))
        if "PageSize" in known:
            query = {"PageSize": draw(st.integers(1, 3))}
        if "Contains" in known and draw(st.booleans()):
            query = {}
        if "Contains" in known and self.offered and draw(st.booleans()):
            number = draw(st.sampled_from(sorted(self.offered)))
            path["IsoCountry"], query = (
                self.offered[number][1],
                draw(st.sampled_from(filters(self.offers[number]))),
            )
        parts: dict[str, Any] = {"path_parameters": path, "query": query}
        if "AccountSid" in members(case):
            account = draw(st.sampled_from(ACCOUNTS))
            parts["body"] = {**members(case), "AccountSid": account}
        if (asked := _ASKED.get(operation_id(case))) and draw(st.booleans()):
            parts["body"] = {**members(case), asked: draw(st.sampled_from(_EXAMPLES))}
        return changed(case, **parts)

    def last(self, operations: dict[str, Operation]) -> Iterator[AnyCase]:
        """Make the cases that end a sequence: list all numbers, find those that were released."""
        for account in ACCOUNTS if "list" in operations else ():
            path = {"AccountSid": account}
            yield operations["list"].Case(path_parameters=path, query={"PageSize": 1})
        for number in sorted(self.released & self.offered.keys()):
            name, country = self.offered[number]
            path = {"AccountSid": PROJECT, "IsoCountry": country}
            yield operations[name].Case(path_parameters=path, query={"Contains": number})

    def refusal(self, case: AnyCase) -> tuple[int, int] | None:
        """Return status and code of the refusal that a case must meet, or None."""
        name, sid = operation_id(case), case.path_parameters.get("Sid")
        number = self.owned.get(sid or "")
        if sid and (number is None or number.account != case.path_parameters["AccountSid"]):
            return _UNKNOWN
        if name == "delete" and number and number.bought is not None:
            return _TOO_RECENT if self.day < number.bought + _KEPT else None
        asked = _ASKED.get(name)
        return _SOLD if asked and self._is_owned(members(case)[asked]) else None

    def accept(self, case: AnyCase, said: Any) -> None:
        """Check what a success says, and note what it changed. Of another operation: nothing."""
        rule = getattr(self, f"_after_{operation_id(case)}", None)
        if rule:
            rule(case, said)

    def _after_purchase(self, case: AnyCase, said: Any) -> None:
        self._add(case, said, self.day)
        assert said["phone_number"] == members(case)["PhoneNumber"]

    def _after_import_number(self, case: AnyCase, said: Any) -> None:
        self._add(case, said, None)
        able = members(case).get("capabilities", said["capabilities"].keys())
        assert said["capabilities"] == {name: name in able for name in said["capabilities"]}
        assert said["phone_number"] == members(case)["number"]

    def _after_get(self, case: AnyCase, said: Any) -> None:
        assert_same(said, self.owned[case.path_parameters["Sid"]].record)

    def _after_list_available_countries(self, case: AnyCase, said: Any) -> None:
        place = (
            f"{doc.BASE_PATH}/Accounts/{case.path_parameters['AccountSid']}/AvailablePhoneNumbers"
        )
        assert said["uri"] == place
        for country in said["countries"]:
            assert country["uri"] == f"{place}/{country['country_code']}"
            uris = {name: f"{country['uri']}/{end}" for name, end in _SEARCHES.items()}
            assert country["subresource_uris"] == uris

    def _after_update(self, case: AnyCase, said: Any) -> None:
        assert_date(said["date_updated"], self.day)
        number = self.owned[case.path_parameters["Sid"]]
        given = {python_name(name): value for name, value in members(case).items()}
        sent = {name: value for name, value in given.items() if name in number.record}
        account = members(case).get("AccountSid", number.account)
        uri = number.record["uri"].replace(number.account, account)
        moved = {"account_id": account, "account_sid": account, "uri": uri}
        changed_at = {"date_updated": said["date_updated"]}
        assert_same(said, number.record | sent | moved | changed_at)
        number.record, number.account = said, account

    def _after_delete(self, case: AnyCase, said: Any) -> None:
        number = self.owned.pop(case.path_parameters["Sid"])
        self.released.add(number.record["phone_number"])

    def _after_list(self, case: AnyCase, said: Any) -> None:
        account, pattern = case.path_parameters["AccountSid"], case.query.get("PhoneNumber", "")
        mine = [n.record for n in self.owned.values() if n.account == account]
        expected = [record for record in mine if pattern in record["phone_number"]]
        numbers, wanted = ([r["phone_number"] for r in records] for records in (said, expected))
        assert numbers == wanted, f"the list is {numbers} in place of {wanted}"
        for record, right in zip(said, expected, strict=True):
            assert_same(record, right)

    def _after_search(self, case: AnyCase, said: Any) -> None:
        offers = {offer["phone_number"]: offer for offer in said["available_phone_numbers"]}
        assert len(offers) == len(said["available_phone_numbers"]), "a number is found twice"
        assert [n for n in offers if self._is_owned(n)] == [], "somebody has it"
        here = (operation_id(case), case.path_parameters["IsoCountry"])
        for number, offer in offers.items():
            assert_offer(offer, case)
            assert_same(offer, self.offers.setdefault(number, offer))
        self.offered |= dict.fromkeys(offers, here)
        free = (n for n, place in self.offered.items() if place == here and not self._is_owned(n))
        missing = [n for n in free if n not in offers and is_asked_for(case, self.offers[n])]
        assert not missing or len(offers) >= MOST_FOUND, f"for sale and not found: {missing}"

    _after_search_local = _after_search_toll_free = _after_search

    def _add(self, case: AnyCase, said: Any, bought: int | None) -> None:
        account = case.path_parameters["AccountSid"]
        sent = {**members(case), "AccountSid": account}
        assert_echoed(sent, said, doc.body_schema(case) or {})
        assert_record(said, sent, self.day)
        settable = {*map(python_name, doc.named_members(doc.body_schema(case) or {}))}
        assert [n for n in _NULLABLE - settable if said[n] is not None] == [], "nobody set these"
        assert said["sid"] not in self.sids, "another number has had this SID"
        self.sids.add(said["sid"])
        self._assert_is_as_offered(said, bought)
        self.owned[said["sid"]] = Number(said, account, bought)

    def _assert_is_as_offered(self, record: dict[str, Any], bought: int | None) -> None:
        """Check where a number comes from, and that what was bought is what a search offered."""
        assert record["origin"] == ("hosted" if bought is None else "signalwire")
        offer = self.offers.get(record["phone_number"])
        if bought is not None and offer:
            able = {name.lower(): value for name, value in offer["capabilities"].items()}
            assert able.items() <= record["capabilities"].items()
            assert [record[n] for n in ("beta", "country_code")] == [
                offer["beta"],
                offer["iso_country"],
            ]

    def _is_owned(self, phone_number: str) -> bool:
        return any(n.record["phone_number"] == phone_number for n in self.owned.values())


def members(case: AnyCase) -> dict[str, Any]:
    return case.body if isinstance(case.body, dict) else {}


def assert_same(said: dict[str, Any], right: dict[str, Any]) -> None:
    names = sorted(said.keys() | right.keys())
    differing = {n: (said.get(n), right.get(n)) for n in names if said.get(n) != right.get(n)}
    assert differing == {}, f"members and what they must be: {differing}"


def assert_echoed(sent: dict[str, Any], record: dict[str, Any], schema: doc.Schema) -> None:
    """Check that a record says what was sent, and the documented default of what was not."""
    for name, member in doc.named_members(schema).items():
        value = sent.get(name, member.get("default"))
        in_record = python_name(name)
        if in_record in record and in_record != "capabilities":
            is_chosen = value is None and in_record == "friendly_name"
            assert is_chosen or record[in_record] == value, name


def assert_record(record: dict[str, Any], sent: dict[str, Any], day: int) -> None:
    """Check what a new record says beyond what was sent: its account, its place, name and date."""
    account, sid, number = sent["AccountSid"], record["sid"], record["phone_number"]
    assert record["account_sid"] == record["account_id"] == account
    uri = f"{doc.BASE_PATH}/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"
    assert record["uri"] == uri
    assert_date(record["date_created"], day)
    assert record["date_updated"] == record["date_created"]
    assert record["api_version"] == doc.DOCUMENT["info"]["version"]
    known = phonenumbers.PhoneNumber()
    with suppress(phonenumbers.NumberParseException):
        known = phonenumbers.parse(number)
    if phonenumbers.is_valid_number(known):
        country = phonenumbers.region_code_for_number(known) or ""
        assert record["country_code"] == (country if country.isalpha() else "US")
        national = phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert record["friendly_name"] == sent.get("FriendlyName", national)


def assert_pages(case: AnyCase, pages: list[Any], asked: list[int]) -> None:
    """Check that each page is full but the last, and names those around it.

    `asked` says how many had been asked for when each item came.
    """
    size: Any = case.query.get("PageSize", doc.parameter_schemas(case)["PageSize"]["default"])
    uris = [page["uri"] for page in pages]
    items = case.operation.definition.raw["x-pages"]["items"]
    for number, page in enumerate(pages):
        is_last = number == len(pages) - 1
        assert (page["page"], page["page_size"]) == (number, size)
        assert len(page[items]) == size or (is_last and len(page[items]) < size)
        around = [uris[0], *(uris[number - 1 : number] or [None]), *(uris[number + 1 :] or [None])]
        names = ("first_page_uri", "previous_page_uri", "next_page_uri")
        assert [page[name] for name in names] == around[:3]
    assert asked == [number + 1 for number, page in enumerate(pages) for _ in page[items]]


def assert_date(text: str, day: int) -> None:
    """Check that a date has its day of the week, and is now, `day` days ahead."""
    date = parsedate_to_datetime(text)
    assert text.startswith(f"{date:%a}, ")
    assert abs(date - datetime.now(UTC) - timedelta(days=day)) < timedelta(minutes=10)


def assert_refused_with(outcome: Outcome, status: int, code: int) -> None:
    expected = getattr(signalwire_compat, CLASSES[status])
    assert type(outcome.error) is expected, f"{outcome} in place of {expected.__name__}"
    assert getattr(outcome.error, "code", None) == code, repr(outcome.error)
