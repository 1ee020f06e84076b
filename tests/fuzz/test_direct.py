"""Run 1: schemathesis against the mock itself, and against mocks that are broken on purpose."""

import functools
import json
import math
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from schemathesis import Response
from signalwire_compat_fuzz import console, server_run
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.budget import left
from signalwire_compat_fuzz.case_sources import Operation, each_operation
from signalwire_compat_fuzz.console import counted
from signalwire_compat_fuzz.contract_coverage import COVERAGE
from signalwire_compat_fuzz.credentials import TOKEN
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.near_valid import changed, valid_case
from signalwire_compat_fuzz.options import EXAMPLES, SEED
from signalwire_compat_fuzz.report import Finding
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT, ROOT

Change = Callable[[Answer], Answer]
slow = functools.partial(pytest.param, marks=pytest.mark.slow)


def run_schemathesis(
    server: MockServer, *options: str, examples: int, seconds: int = 0, junit: Path | None = None
) -> None:
    """Run the command with all phases and checks. Errors: its report if anything is found."""
    if junit:
        options += ("--report", "junit", "--report-junit-path", str(junit))
    # A forgetful mock keeps nothing: what is deleted is there again. Samples repeat nothing.
    options += ("--auth", f"{PROJECT}:{TOKEN}", "--exclude-checks", "use_after_free,echo")
    ended = server_run.run(server.url, *options, seed=SEED, examples=examples, seconds=seconds)
    COVERAGE.merge(ended.results["covered"])
    if ended.status:
        findings = [Finding(*found) for found in ended.results["findings"]]
        found = "\n".join(f"{one.place}: {one.text}" for one in findings) or ended.output
        hint = "The curl commands work while `make mock FORGETFUL=1` runs."
        replay = f"To replay all of it:\n  {console.replay()}"
        report = f"schemathesis:\n{found}\n{hint} {replay}"
        error = AssertionError(report.replace(server.url, console.LOCAL))
        error.is_whole = True  # type: ignore[attr-defined]
        raise error


def answer(case: AnyCase, server: MockServer, token: str = TOKEN) -> Response:
    with counted(case):
        reply = case.call(server.url + doc.BASE_PATH, auth=(PROJECT, token))
        assert reply.status_code in (404, 405) or doc.reply_key(case, reply.status_code)
        return reply


@each_operation
def test_a_method_and_a_content_type_of_no_operation_are_refused(
    operation: Operation, server: MockServer
) -> None:
    case = valid_case(operation)
    methods = {method for path, method, _ in doc.operations() if path == operation.path}
    for method in doc.METHODS:
        if method not in methods:
            reply = answer(changed(case, method=method.upper()), server)
            assert reply.status_code == 405
            assert methods <= {*reply.headers["allow"][0].lower().split(", ")}
    taken = {doc.media_type(kind) for kind in doc.contents(case)}
    if doc.FORM in taken and doc.DOCUMENT["servers"][0].get("x-also-accepted", {}).get("json"):
        taken.add(doc.JSON)
    # What is asked for, so that nothing but the content type is wrong.
    asked = json.loads(json.dumps(case.body, default=str)) if isinstance(case.body, dict) else {}
    for kind in (doc.JSON, doc.FORM, doc.MULTIPART, "text/plain"):
        if taken and kind not in taken:
            body = "text" if kind == "text/plain" else asked or {"x": "y"}
            reply = answer(changed(case, media_type=kind, body=body), server)
            assert 400 <= reply.status_code < 500


@each_operation
def test_wrong_credentials_are_refused_as_the_document_says(
    operation: Operation, server: MockServer
) -> None:
    case = valid_case(operation)
    status = answer(case, server, "another-token").status_code
    assert (status == 401) == doc.is_secured(case)


def test_schemathesis_finds_nothing_in_the_mock(server: MockServer) -> None:
    server.reset()
    try:
        report = ROOT / "reports" / "direct.xml"
        seconds = 0 if math.isinf(left()) else max(1, round(left()))
        run_schemathesis(server, examples=EXAMPLES, seconds=seconds, junit=report)
    finally:
        console.current.cases = len(server.journal)


def success(kind: type, change: Callable[[dict[str, Any], str], object]) -> Change:
    """Make a broken mock that spoils the first member of a kind in the JSON of each success."""

    def spoil(answer: Answer) -> Answer:
        if answer.status >= 300 or not doc.is_json(answer.headers.get("content-type")):
            return answer
        body = json.loads(answer.body)
        members = body if isinstance(body, dict) else {}
        for name in [name for name, value in members.items() if isinstance(value, kind)][:1]:
            change(body, name)
        return replace(answer, body=json.dumps(body).encode())

    return spoil


def status(old: Container[int], new: int) -> Change:
    """Make a broken mock that answers with another status; the body stays."""
    return lambda answer: replace(answer, status=new) if answer.status in old else answer


def accepting(refused: Container[int]) -> Change:
    """Make a broken mock that answers some refused requests like the last successful one.

    That is one of the same operation.
    """
    successes: dict[str | None, Answer] = {}

    def accept(answer: Answer) -> Answer:
        if answer.status < 300:
            successes[answer.operation_id] = answer
        is_refused = answer.status in refused
        return successes.get(answer.operation_id, answer) if is_refused else answer

    return accept


_ODD = "one_odd_member"
HTML = {"content-type": "text/html"}
INVALID_STATUSES = {400, *range(402, 500)}
OTHER_REFUSALS = INVALID_STATUSES - {400, 405}
"""A check of its own wants 405 for a method that no path has."""
BROKEN_MOCKS: dict[str, tuple[str, Change]] = {
    "a member is missing": ("violates schema", success(str, lambda b, name: b.pop(name))),
    "a boolean is text": ("violates schema", success(bool, lambda b, name: b.update({name: "x"}))),
    "a success has a status of its own": ("Undocumented status code", status(range(300), 299)),
    "a refusal has a status of its own": ("Undocumented status code", status(OTHER_REFUSALS, 418)),
    "a reply is not JSON": ("Undocumented Content-Type", lambda a: replace(a, headers=HTML)),
    "the invalid is accepted": (
        f"Schema-violating request accepted|{_ODD}",
        accepting(INVALID_STATUSES),
    ),
    "the valid is refused": (f"valid request rejected|{_ODD}", status(range(300), 422)),
    "credentials do not matter": ("accepts requests without authentication", accepting({401})),
    "what is invalid ends in a failure": ("Server error", status([400], 500)),
}


FIRST, *OTHERS = BROKEN_MOCKS


@pytest.mark.parametrize("name", [FIRST, *(slow(name) for name in OTHERS)])
def test_schemathesis_turns_red_against_a_broken_mock(name: str) -> None:
    finding, change = BROKEN_MOCKS[name]
    with (
        MockServer(token=TOKEN, forgetful=True, allow_import=True) as server,
        server.answering(change),
        pytest.raises(AssertionError, match=f"({finding})(.|\n)*curl -X"),
    ):
        run_schemathesis(server, "--max-failures=1", "--max-examples=20", examples=4)
    console.current.run, console.current.cases = "broken", 1
