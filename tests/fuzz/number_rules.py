"""What becomes of phone numbers in a sequence of calls: a model of the provider's rules.

Like `further_rules`, this knows operations by name: neither schemas nor links say these rules.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import phonenumbers
from hypothesis import strategies as st
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.case_sources import Operation
from signalwire_compat_fuzz.client_calls import python_name
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.near_valid import changed

from tests.conftest import PROJECT

from .links import operation_id
from .record_rules import assert_date, assert_echoed, assert_leads_to, assert_record, assert_same
from .search_rules import MOST_FOUND, assert_offer, filters, is_asked_for, is_like, patterns

PROJECTS = (PROJECT, "6d0f2cb2-8a37-4a29-9d0f-3b3f2a3f9f10")
ACCOUNTS = (
    *(PROJECT, "1c9e2f6e-57d4-4b0e-8f52-6a7f0f6f7a01"),
    "b0a7c1a2-1f0e-4d6a-9a53-2f6f1f0e7b02",
)
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
_FOREIGN, _NOT_YOURS = (401, 20003), (422, 10000)
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
    """The numbers that accounts must have after the calls so far, and whose the accounts are."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
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
            path["AccountSid"] = draw(st.sampled_from((*ACCOUNTS, ACCOUNTS[0].upper())))
        if "Sid" in path and self.owned:
            path["Sid"] = draw(st.sampled_from([*self.owned]))
            if draw(st.integers(0, 3)):  # Mostly in its account.
                path["AccountSid"] = self.owned[path["Sid"]].account
        if "PageSize" in known:
            size = draw(st.sampled_from([1, 2, 3, 1000, None]))
            query = {
                **({} if size is None else {"PageSize": size}),
                **draw(st.sampled_from([{}, *self.filters_of_lists()])),
            }
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

    def filters_of_lists(self) -> list[dict[str, str]]:
        """Make filters of lists: those that find a number, and some that nearly do."""
        records = [number.record for number in self.owned.values()]
        names = [record["friendly_name"] for record in records]
        for name in names[:1]:
            names += ["", f"{name} ", name[:-1], name[1:], name.swapcase()]
        numbers = [text for record in records for text in patterns(record["phone_number"])]
        return [{"FriendlyName": n} for n in names] + [{"PhoneNumber": n} for n in numbers]

    def project_of(self, case: AnyCase) -> str:
        """Return the owner of the account of a case; PROJECT, if nobody has used the account."""
        return self.owners.get(account_of(case), PROJECT)

    def last(self, operations: dict[str, Operation]) -> Iterator[AnyCase]:
        """Make the cases that end a sequence: list all numbers, find those that were released."""
        for account in ACCOUNTS if "list" in operations else ():
            path = {"AccountSid": account}
            yield operations["list"].Case(path_parameters=path, query={"PageSize": 1})
        for number in sorted(self.released & self.offered.keys()):
            name, country = self.offered[number]
            path = {"AccountSid": account, "IsoCountry": country}
            yield operations[name].Case(path_parameters=path, query={"Contains": number})

    def refusal(self, case: AnyCase, project: str) -> tuple[int, int] | None:
        """Return status and code of the refusal that a case must meet, or None.

        An account belongs to the first project that uses it.
        """
        if self.owners.setdefault(account_of(case), project) != project:
            return _FOREIGN
        name, sid = operation_id(case), case.path_parameters.get("Sid")
        number = self.owned.get(sid or "")
        if sid and (number is None or number.account != account_of(case)):
            return _UNKNOWN
        if self.owners.get(members(case).get("AccountSid", ""), project) != project:
            return _NOT_YOURS
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
        before = number.record["account_sid"]
        account = members(case).get("AccountSid", before)
        self.owners.setdefault(account.lower(), self.project_of(case))
        uri = number.record["uri"].replace(before, account)
        moved = {"account_id": account, "account_sid": account, "uri": uri}
        changed_at = {"date_updated": said["date_updated"]}
        assert_same(said, number.record | sent | moved | changed_at)
        number.record, number.account = said, account.lower()

    def _after_delete(self, case: AnyCase, said: Any) -> None:
        number = self.owned.pop(case.path_parameters["Sid"])
        self.released.add(number.record["phone_number"])

    def _after_list(self, case: AnyCase, said: Any) -> None:
        account, asked = account_of(case), case.query
        expected = [
            n.record
            for n in self.owned.values()
            if n.account == account
            and is_like(n.record["phone_number"], asked.get("PhoneNumber", ""))
            and asked.get("FriendlyName", n.record["friendly_name"]) == n.record["friendly_name"]
        ]
        numbers, wanted = ([r["phone_number"] for r in records] for records in (said, expected))
        assert numbers == wanted, f"the list is {numbers} in place of {wanted}"
        for record, right in zip(said, expected, strict=True):
            assert_same(record, right)

    def _after_search(self, case: AnyCase, said: Any) -> None:
        offers = {offer["phone_number"]: offer for offer in said["available_phone_numbers"]}
        assert len(offers) == len(said["available_phone_numbers"]), "a number is found twice"
        assert len(offers) <= MOST_FOUND
        assert_leads_to(said["uri"], case, case.query)
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
        self.owned[said["sid"]] = Number(said, account.lower(), bought)

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


def account_of(case: AnyCase) -> str:
    """Return the account in the path of a case: upper and lower case are the same."""
    return str(case.path_parameters["AccountSid"]).lower()
