"""Run 1: schemathesis against the mock itself, and against mocks that are broken on purpose."""

import json
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

import pytest
from conftest import ROOT
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from . import tally
from .coverage import Coverage
from .direct import Disagreement, run_directly

Change = Callable[[Answer], Answer]


def test_schemathesis_finds_nothing_in_the_mock(server: MockServer, coverage: Coverage) -> None:
    server.reset()
    try:
        run_directly(server, junit=ROOT / "reports" / "direct.xml")
    finally:
        journal = server.journal
        tally.current.cases = tally.current.calls = len(journal)
        for exchange in journal:
            coverage.record(exchange)
    assert len(journal) > 0


def success(change: Callable[[dict[str, Any]], object]) -> Change:
    """Make a twin that spoils the JSON object of each success."""

    def spoil(answer: Answer) -> Answer:
        if answer.status >= 300:
            return answer
        body = json.loads(answer.body)
        change(body)
        return replace(answer, body=json.dumps(body).encode())

    return spoil


def status(old: Container[int], new: int) -> Change:
    """Make a twin that answers with another status; the body stays."""
    return lambda answer: replace(answer, status=new) if answer.status in old else answer


def accepting(refused: Container[int]) -> Change:
    """Make a twin that answers some refused requests like the last successful one."""
    successes: list[Answer] = []

    def accept(answer: Answer) -> Answer:
        if answer.status < 300:
            successes[:] = [answer]
        return successes[0] if successes and answer.status in refused else answer

    return accept


def first_member(kind: type) -> Callable[[dict[str, Any]], str]:
    return lambda body: next(name for name, value in body.items() if isinstance(value, kind))


TWINS: dict[str, tuple[str, Change]] = {
    "a member is missing": (
        "violates schema",
        success(lambda body: body.pop(first_member(str)(body))),
    ),
    "a boolean is text": (
        "violates schema",
        success(lambda body: body.update({first_member(bool)(body): "true"})),
    ),
    "a success has a status of its own": (
        "Undocumented status code",
        status(range(200, 300), 299),
    ),
    "a refusal has a status of its own": (
        "Undocumented status code",
        status(range(402, 500), 418),
    ),
    "a reply is no JSON": (
        "Undocumented Content-Type",
        lambda answer: replace(answer, headers={"content-type": "text/html"}),
    ),
    "what is invalid is accepted": (
        "Schema-violating request accepted",
        accepting({400, *range(402, 500)}),
    ),
    "what is valid is refused": (
        "Schema-valid request rejected",
        status(range(200, 300), 422),
    ),
    "credentials do not matter": (
        "accepts requests without authentication",
        accepting({401}),
    ),
    "what is invalid ends in a failure": (
        "Server error",
        status(range(400, 401), 500),
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_the_direct_run_turns_red_against_a_broken_twin(twin: str) -> None:
    finding, change = TWINS[twin]
    with (
        MockServer(forgetful=True) as server,
        server.answering(change),
        pytest.raises(Disagreement, match=f"{finding}(.|\n)*curl -X"),
    ):
        run_directly(server, "--max-failures=1", examples=20)
    tally.current.run, tally.current.cases = "twins", 1
