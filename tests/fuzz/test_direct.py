"""Run 1: schemathesis against the mock itself, and against mocks that are broken on purpose."""

import json
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

import pytest
from conftest import PROJECT, ROOT
from schemathesis import Response
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.engine import Answer

from . import tally
from .budget import Operation, operations, spec
from .coverage import Coverage
from .direct import Disagreement, run_directly
from .document import BASE_PATH, AnyCase, body_schema
from .meaning import curl
from .mirror import METHODS
from .near import changed, valid_case

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


@pytest.mark.parametrize("operation", operations(spec()), ids=lambda found: found.label)
def test_a_method_and_a_content_type_of_no_operation_are_refused(
    operation: Operation, server: MockServer
) -> None:
    """Try what schemathesis leaves out, or lets pass: any status but 2xx is well for it."""
    case = valid_case(operation)
    item = operation.schema.raw_schema["paths"][operation.path]
    methods = {method for method in METHODS if method in item}

    def answer(case: AnyCase) -> Response:
        with tally.counted(case, lambda: curl(case)):
            reply = case.call(server.url + BASE_PATH, auth=(PROJECT, DEFAULT_TOKEN))
            assert 400 <= reply.status_code < 500, "it was taken"
            return reply

    for method in METHODS:
        if method not in methods:
            reply = answer(changed(case, method=method.upper()))
            assert reply.status_code == 405
            allowed = reply.headers["allow"][0].lower().split(", ")
            assert methods <= {*allowed}
    if body_schema(case):
        for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
            if kind != case.media_type:
                body = case.body if kind != "text/plain" else "text"
                reply = answer(changed(case, media_type=kind, body=body))
                assert str(reply.status_code) in operation.definition.raw["responses"]


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
