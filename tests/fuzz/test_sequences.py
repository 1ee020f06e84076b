"""Run 5: sequences of calls, each with what an earlier one returned, as the links say.

A model of the rules knows what each call must find: `number_rules`.
"""

import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.case_sources import VALID, operations, run_sequences, spec
from signalwire_compat_fuzz.client_calls import FACADE, Caller, as_called
from signalwire_compat_fuzz.console import counted
from signalwire_compat_fuzz.contract_coverage import COVERAGE
from signalwire_compat_fuzz.document import FORM, AnyCase
from signalwire_compat_fuzz.expected_reply import only_exchange
from signalwire_compat_fuzz.expected_request import has_text, is_sendable
from signalwire_compat_fuzz.near_valid import changed
from signalwire_compat_fuzz.options import EXAMPLES
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

from .links import LINKS, Done, followed, operation_id
from .number_rules import ACCOUNTS, DAYS, PROJECTS, Numbers
from .record_rules import assert_pages, assert_refused_with
from .search_rules import filters

OPERATIONS = {o.definition.raw["operationId"]: o for o in operations(spec())}
CASES = {
    name: operation.as_strategy(generation_mode=VALID).filter(
        lambda case: is_sendable(case) and has_text(case)
    )
    for name, operation in OPERATIONS.items()
}
SEARCHES = (
    [name for name in OPERATIONS if name.startswith("search")]
    if {"list_available_countries", "purchase"} <= OPERATIONS.keys()
    else []
)
LIFE = {"search_local", "import_number", "purchase", "update", "list", "delete"}
IGNORED = [
    parameter.name
    for parameter in (OPERATIONS["search_local"].query if "search_local" in OPERATIONS else ())
    if parameter.name not in {"AreaCode", "Beta", "Contains", "InLocality", "InRegion"}
]
"""The parameters that a search accepts and ignores."""
ways = st.sampled_from(FACADE)
projects = st.sampled_from([None, None, None, *PROJECTS])
"""The project of a call. None is the one that owns the account."""


class Sequences(RuleBasedStateMachine):
    """Calls that anybody could begin with, and calls that a link leads to."""

    server: MockServer
    callers: dict[str, Caller]

    def __init__(self) -> None:
        super().__init__()
        self.server.reset()
        self.numbers = Numbers()
        self.done: list[Done] = []
        self.steps: list[tuple[Any, ...]] = []
        self.is_right = True

    @rule(data=st.data(), way=ways, project=projects)
    def begin(self, data: st.DataObject, way: str, project: str | None) -> None:
        self.call(way, self._case(data, data.draw(st.sampled_from(sorted(CASES)))), project)

    @rule(data=st.data(), way=ways)
    def follow(self, data: st.DataObject, way: str) -> None:
        self._follow(data, way, self.done)

    @rule(data=st.data(), way=ways)
    def follow_the_last(self, data: st.DataObject, way: str) -> None:
        self._follow(data, way, self.done[-1:])

    @rule(days=st.sampled_from(DAYS))
    def wait(self, days: int) -> None:
        self.steps.append(("wait", days))
        self.server.advance(days=days)
        self.numbers.day += days

    def teardown(self) -> None:
        for case in self.numbers.last(OPERATIONS) if self.is_right else ():
            for way in FACADE:
                self.call(way, case)

    def _case(self, data: st.DataObject, name: str) -> AnyCase:
        return self.numbers.prepare(data.draw(CASES[name]), data.draw)

    def _follow(self, data: st.DataObject, way: str, done: list[Done]) -> None:
        choices = [(d, link) for d in done for link in LINKS if link.source == operation_id(d.case)]
        if choices:
            before, link = choices[data.draw(st.integers(0, len(choices) - 1))]
            any_case = self._case(data, link.target)
            case = followed(link, before, data.draw(st.integers(0, 50)), any_case)
            if case is not None:
                self.call(way, case)

    def call(self, way: str, case: AnyCase, project: str | None = None) -> None:
        case = as_called(FACADE, case)
        project = project or self.numbers.project_of(case)
        self.caller = self.callers[project]
        self.steps.append((project, way, case))
        before, self.is_right = len(self.server.journal), False
        with counted(self.steps):
            refusal = self.numbers.refusal(case, project)
            outcome = self.caller.call(way, case)
            exchange = only_exchange(self.server.journal[before:], outcome)
            COVERAGE.record(case, exchange)
            if refusal:
                assert_refused_with(outcome, *refusal)
            else:
                result = outcome.unwrap()
                assert outcome.warnings == ()
                self.numbers.accept(case, self._whole(way, case, result, before))
                self.done.append(Done(case, doc.typed(exchange.reply_body)))
        self.is_right = True

    def _whole(self, way: str, case: AnyCase, result: Any, before: int) -> Any:
        """Return a result as JSON has it: of a page, its items and all after it."""
        if not case.operation.definition.raw.get("x-pages"):
            return result and result.to_dict()
        seen = [self.server.journal[before]]
        resumed = self._at(way, case, doc.typed(seen[0].reply_body)["next_page_uri"])
        rest = [item.to_dict() for item in self.caller.items(way, resumed)] if resumed else []
        begin = len(self.server.journal)
        found, asked = [], []
        for item in self.caller.items(way, result):
            found.append(item.to_dict())
            asked.append(len(self.server.journal) - begin + 1)
        seen += self.server.journal[begin:]
        pages = [doc.typed(exchange.reply_body) for exchange in seen]
        assert_pages(case, pages, asked)
        assert found[len(found) - len(rest) :] == rest, "a list that begins at a later page differs"
        if len(pages) > 1:
            self._assert_is_read_again(way, case, result, pages)
        return found

    def _assert_is_read_again(self, way: str, case: AnyCase, result: Any, pages: list[Any]) -> None:
        """Check that a list is the same in every way to read it, also twice at the same time."""
        twins = [self.caller.items(way, result), self.caller.items(way, result)]
        read = [[item.to_dict() for item in items] for items in zip(*twins, strict=True)]
        assert all(one == other for one, other in read)
        for number, page in enumerate(pages):
            assert result.to_dict() == page
            before = self._at(way, case, page["previous_page_uri"])
            assert (before and before.to_dict()) == (pages[number - 1] if number else None)
            result = self.caller.next_page(way, result)
        assert result is None

    def assert_token_is_of_its_page(self, uri: str) -> None:
        """Check that the token of a page is good for that page alone."""
        query: dict[str, Any] = dict(parse_qsl(urlsplit(uri).query))
        query |= {name: int(query[name]) for name in ("Page", "PageSize")}
        token, own, other = query["PageToken"], PROJECT, ACCOUNTS[1]
        last = "0" if token[-1] != "0" else "1"
        tokens = (token[:-1] + last, token[:-1], f"{token}0", token.lower(), f"PA0{token[2:]}")
        changes = [
            *({name: query[name] + 1} for name in ("Page", "PageSize")),
            *({"PhoneNumber": text} for text in ("", "5", "55*")),
            *({"FriendlyName": name} for name in ("", "one")),
            *({"PageToken": text} for text in tokens),
        ]
        for account, change in (*((own, change) for change in changes), (other, {})):
            path = {"AccountSid": account}
            case = OPERATIONS["list"].Case(path_parameters=path, query=query | change)
            with counted(case):
                assert_refused_with(self.caller.call("sync", case), 422, 54453)
        self.numbers.owners.setdefault(other, own)

    def _at(self, way: str, case: AnyCase, uri: str | None) -> Any:
        """Ask for the page of a URI. None without one."""
        if uri is None:
            return None
        schemas = doc.parameter_schemas(case)
        query = {
            name: int(text) if doc.allows_type(schemas[name], "integer") else text
            for name, text in parse_qsl(urlsplit(uri).query)
        }
        return self.caller.call(way, changed(case, query=query)).unwrap()


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Sequences]]:
    with (
        MockServer(allow_import=True) as server,
        Caller(PROJECTS[0], DEFAULT_TOKEN, server.url) as one,
        Caller(PROJECTS[1], DEFAULT_TOKEN, server.url) as other,
    ):
        callers = dict(zip(PROJECTS, (one, other), strict=True))
        yield type("Connected", (Sequences,), {"server": server, "callers": callers})


@pytest.mark.parametrize("search", SEARCHES)
def test_each_filter_of_a_search_finds_what_fits_and_it_can_be_bought(
    machine: type[Sequences], search: str
) -> None:
    sequence = machine()
    account = {"AccountSid": PROJECT}

    def call(name: str, **parts: Any) -> Any:
        sequence.call("sync", OPERATIONS[name].Case(**parts))
        return sequence.done[-1].reply

    spelt = iter(string.ascii_letters)
    for country in call("list_available_countries", path_parameters=account)["countries"]:
        path = {**account, "IsoCountry": country["country_code"]}

        def found(**query: Any) -> list[dict[str, Any]]:
            reply = call(search, path_parameters=path, query=query)  # noqa: B023  # used at once
            offers: list[dict[str, Any]] = reply["available_phone_numbers"]
            return offers

        for letter in spelt:  # In the first country.
            found(Contains=letter)
        # Of all that end alike, the last is of another place than the first.
        for first in found()[:1]:
            offer = found(Contains=first["phone_number"][-4:])[-1]
            new = found(Contains=f"{offer['phone_number'][:-2]}9", Beta=True)[-1]
            for query in filters(offer):
                found(**query)
            for bought, name in ((first, "One "), (offer, "one"), (new, "one a+b & c=%64#d")):
                body = {"PhoneNumber": bought["phone_number"], "FriendlyName": name}
                call("purchase", path_parameters=account, body=body, media_type=FORM)
            # What is sold makes room for others, and a search ignores most of its filters.
            found()
            for value in (True, False):
                found(**dict.fromkeys(IGNORED, value))
    for query in sequence.numbers.filters_of_lists() if "list" in OPERATIONS else ():
        call("list", path_parameters=account, query={**query, "PageSize": 2})
    if "list" in OPERATIONS:
        reply = call("list", path_parameters=account, query={"PageSize": 2, "PhoneNumber": "555"})
        sequence.assert_token_is_of_its_page(reply["next_page_uri"])
    sequence.teardown()


@pytest.mark.skipif(not OPERATIONS.keys() >= LIFE, reason="the document lacks an operation")
def test_a_number_is_moved_there_and_back_and_released_after_14_days(
    machine: type[Sequences],
) -> None:
    sequence = machine()
    here, there = ({"AccountSid": sid} for sid in ACCOUNTS[:2])

    def call(name: str, path: dict[str, str], **given: Any) -> None:
        parts: dict[str, Any] = {"body": given, "media_type": FORM} if given else {}
        sequence.call("async", OPERATIONS[name].Case(path_parameters=path, **parts))

    call("search_local", {**here, "IsoCountry": "US"})
    imported, *bought = sorted(sequence.numbers.offered)[:4]
    call("import_number", here, number=imported, number_type="longcode")
    for number in bought:
        call("purchase", here, PhoneNumber=number, FriendlyName="\U0001d11e" * 64)
    at_once, moved, *_ = ({"Sid": sid} for sid in sequence.numbers.owned)
    for owner, target in ((here, there), (there, here)):  # The list keeps its order.
        call("update", {**owner, **moved}, VoiceMethod="GET", **target)
        call("list", here)
    call("delete", {**here, **at_once})
    call("purchase", here, PhoneNumber=imported)
    for days in (13, 1):
        sequence.wait(days)
        call("delete", {**here, **moved})
        call("update", {**here, **moved}, FriendlyName="x")
    # What leaves the account while its list is read hides no other number.
    listed = OPERATIONS["list"].Case(path_parameters=here, query={"PageSize": 2})
    mine = [
        sid
        for sid, number in sequence.numbers.owned.items()
        if number.account == here["AccountSid"]
    ]
    assert len(mine) > 2, "one page would not show it"
    seen = []
    for item in sequence.caller.items("sync", sequence.caller.call("sync", listed).unwrap()):
        seen.append(item.sid)
        call("update", {**here, "Sid": item.sid}, **there)
    assert seen == mine
    sequence.teardown()


@pytest.mark.parametrize(("part", "steps"), [(0, 8), (1, 30)])
def test_each_call_finds_what_the_calls_before_it_left(
    machine: type[Sequences], part: int, steps: int
) -> None:
    # To make a failing sequence simpler takes minutes: there are short ones instead.
    examples = max(1, EXAMPLES // 5)
    run_sequences(machine, part, examples=examples, steps=steps, shrink=False)
