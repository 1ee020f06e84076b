"""Run 5: sequences of calls, each with what an earlier one returned, as the links say.

A model of the rules knows what each call must find: `number_rules`.
"""

from collections.abc import Iterator
from typing import Any

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
from signalwire_compat_fuzz.options import EXAMPLES
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

from .links import LINKS, Done, followed, operation_id
from .number_rules import DAYS, Numbers, assert_pages, assert_refused_with
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
ways = st.sampled_from(FACADE)


class Sequences(RuleBasedStateMachine):
    """Calls that anybody could begin with, and calls that a link leads to."""

    server: MockServer
    caller: Caller

    def __init__(self) -> None:
        super().__init__()
        self.server.reset()
        self.numbers = Numbers()
        self.done: list[Done] = []
        self.steps: list[tuple[Any, ...]] = []
        self.is_right = True

    @rule(data=st.data(), way=ways)
    def begin(self, data: st.DataObject, way: str) -> None:
        self.call(way, self._case(data, data.draw(st.sampled_from(sorted(CASES)))))

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

    def call(self, way: str, case: AnyCase) -> None:
        case = as_called(FACADE, case)
        self.steps.append((way, case))
        before, self.is_right = len(self.server.journal), False
        with counted(self.steps):
            refusal = self.numbers.refusal(case)
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
        found, asked = [], []
        for item in self.caller.items(way, result):
            found.append(item.to_dict())
            asked.append(len(self.server.journal) - before)
        pages = [doc.typed(e.reply_body) for e in self.server.journal[before:]]
        assert_pages(case, pages, asked)
        return found


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Sequences]]:
    with (
        MockServer(allow_import=True) as server,
        Caller(PROJECT, DEFAULT_TOKEN, server.url) as caller,
    ):
        yield type("Connected", (Sequences,), {"server": server, "caller": caller})


@pytest.mark.parametrize("search", SEARCHES)
def test_each_filter_of_a_search_finds_what_fits_and_it_can_be_bought(
    machine: type[Sequences], search: str
) -> None:
    sequence = machine()
    account = {"AccountSid": PROJECT}

    def call(name: str, **parts: Any) -> Any:
        sequence.call("sync", OPERATIONS[name].Case(**parts))
        return sequence.done[-1].reply

    for country in call("list_available_countries", path_parameters=account)["countries"]:
        path = {**account, "IsoCountry": country["country_code"]}

        def found(**query: Any) -> list[dict[str, Any]]:
            reply = call(search, path_parameters=path, query=query)  # noqa: B023  # used at once
            offers: list[dict[str, Any]] = reply["available_phone_numbers"]
            return offers

        # Of all that end alike, the last is of another place than the first.
        for first in found()[:1]:
            offer = found(Contains=first["phone_number"][-4:])[-1]
            new = found(Contains=offer["phone_number"][:-2], Beta=True)[-1]
            for query in filters(offer):
                found(**query)
            for number in (offer["phone_number"], new["phone_number"]):
                body = {"PhoneNumber": number}
                call("purchase", path_parameters=account, body=body, media_type=FORM)
    sequence.teardown()


@pytest.mark.parametrize(("part", "steps"), [(0, 8), (1, 30)])
def test_each_call_finds_what_the_calls_before_it_left(
    machine: type[Sequences], part: int, steps: int
) -> None:
    # To make a failing sequence simpler takes minutes: there are short ones instead.
    examples = max(1, EXAMPLES // 5)
    run_sequences(machine, part, examples=examples, steps=steps, shrink=False)
