"""Run 4: sequences of purchases keep the rules that money needs.

Like `number_rules`, this knows an operation: it is about the rules of `purchase`, which no schema
can say. A number has one owner, what is bought stays bought, and a refusal changes nothing.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from signalwire_compat_fuzz.case_sources import VALID, operations, run_sequences, spec
from signalwire_compat_fuzz.client_calls import FACADE, Caller, Outcome
from signalwire_compat_fuzz.console import counted
from signalwire_compat_fuzz.document import DOCUMENT, FORM
from signalwire_compat_fuzz.options import EXAMPLES
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

from .record_rules import assert_echoed, assert_refused_with

OPERATION = next(o for o in operations(spec()) if o.definition.raw["operationId"] == "purchase")
BODIES = OPERATION.as_strategy(generation_mode=VALID).map(lambda case: case.body)
SCHEMA: dict[str, Any] = DOCUMENT["components"]["schemas"]["PurchaseRequest"]
PROJECTS = (PROJECT, "6d0f2cb2-8a37-4a29-9d0f-3b3f2a3f9f10")
STRANGER = "stranger"
SUBPROJECTS = ("1c9e2f6e-57d4-4b0e-8f52-6a7f0f6f7a01", "b0a7c1a2-1f0e-4d6a-9a53-2f6f1f0e7b02")
ACCOUNTS = (*PROJECTS, *SUBPROJECTS)
NUMBERS = tuple(f"+1555123000{digit}" for digit in range(6))


class Purchases(RuleBasedStateMachine):
    """Two projects buy the same few numbers for four accounts; `bought` is what they must own."""

    server: MockServer
    callers: dict[str, Caller]

    def __init__(self) -> None:
        super().__init__()
        self.server.reset()
        self.owners: dict[str, str] = {}
        self.bought: dict[str, tuple[str, dict[str, Any]]] = {}
        self.steps: list[tuple[Any, ...]] = []

    @rule(
        project=st.sampled_from(PROJECTS),
        account=st.sampled_from(ACCOUNTS),
        number=st.sampled_from(NUMBERS),
        body=BODIES,
        way=st.sampled_from(FACADE),
        upper=st.booleans(),
        loud=st.booleans(),
    )
    def buy(
        self,
        project: str,
        account: str,
        number: str,
        body: Any,
        way: str,
        upper: bool,
        loud: bool,
    ) -> None:
        named = account.upper() if upper else account
        body = {**body, "PhoneNumber": number}
        with counted(self.steps):
            outcome = self._call(project.upper() if loud else project, way, named, body)
            if self.owners.setdefault(account, project) != project:
                assert_refused_with(outcome, 401, 20003)
            elif number in self.bought:
                assert_refused_with(outcome, 422, 10000)
            else:
                record = outcome.unwrap().to_dict()
                assert_echoed({**body, "AccountSid": named}, record, SCHEMA)
                self.bought[number] = (account, record)

    @rule(project=st.sampled_from(PROJECTS), row=st.integers(0), way=st.sampled_from(FACADE))
    def buy_reserved(self, project: str, row: int, way: str) -> None:
        rows = self.server.reserved_numbers()
        reserved = rows[row % len(rows)]
        body = {"PhoneNumber": reserved.phone_number}
        with counted(self.steps):
            outcome = self._call(project, way, project, body)
            if self.owners.setdefault(project, project) == project:
                assert_refused_with(outcome, reserved.status, reserved.code)
            else:
                assert_refused_with(outcome, 401, 20003)

    @rule(account=st.sampled_from(ACCOUNTS), number=st.sampled_from(NUMBERS))
    def buy_with_a_wrong_token(self, account: str, number: str) -> None:
        """Buy with credentials that open nothing: not even the account is claimed."""
        with counted(self.steps):
            outcome = self._call(STRANGER, "sync", account, {"PhoneNumber": number})
            assert_refused_with(outcome, 401, 20003)

    @invariant()
    def every_number_is_with_its_one_owner(self) -> None:
        with counted(self.steps, cases=0):
            for account in ACCOUNTS:
                mine = [record for owner, record in self.bought.values() if owner == account]
                assert self.server.phone_numbers(account) == mine
                assert self.server.charges(account) == len(mine)

    def _call(self, caller: str, way: str, account: str, body: dict[str, Any]) -> Outcome:
        path = {"AccountSid": account}
        case = OPERATION.Case(path_parameters=path, body=body, media_type=FORM)
        self.steps.append((caller, way, account, body))
        return self.callers[caller].call(way, case)


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Purchases]]:
    with MockServer() as server, ExitStack() as opened:
        spelt = (*PROJECTS, *(project.upper() for project in PROJECTS))
        callers = {project: Caller(project, DEFAULT_TOKEN, server.url) for project in spelt}
        callers[STRANGER] = Caller(PROJECT, "another-token", server.url)
        for caller in callers.values():
            opened.enter_context(caller)
        yield type("Connected", (Purchases,), {"server": server, "callers": callers})


@pytest.mark.parametrize("part", range(2))
def test_purchases_keep_one_owner_for_each_number(machine: type[Purchases], part: int) -> None:
    run_sequences(machine, part, examples=max(1, EXAMPLES // 32), steps=20)
