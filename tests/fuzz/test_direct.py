"""Run 1: schemathesis against the mock itself, and against mocks that are broken on purpose."""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

import pytest
from schemathesis import Response
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.contract import FORM, JSON, MULTIPART, is_json, media_type
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT, ROOT

from . import tally
from .budget import Operation, each_operation
from .coverage import Coverage
from .direct import Disagreement, run_directly
from .document import BASE_PATH, AnyCase, contents, is_secured
from .meaning import curl, has_text, is_sendable, is_valid_as_text
from .mirror import METHODS
from .near import cases_with_unknown_members, changed, near_cases, valid_case

OTHERS = (JSON, FORM, MULTIPART, "text/plain")
"""Content types that an operation may not have."""
Change = Callable[[Answer], Answer]


def answer(case: AnyCase, server: MockServer, token: str = DEFAULT_TOKEN) -> Response:
    with tally.counted(case, functools.partial(curl, case)):
        reply = case.call(server.url + BASE_PATH, auth=(PROJECT, token))
        documented = case.operation.definition.raw["responses"]
        wished = {str(reply.status_code), f"{reply.status_code // 100}XX", "default"}
        assert reply.status_code in (404, 405) or wished & {*documented}
        return reply


@each_operation
def test_a_case_with_one_odd_member_is_taken_or_refused_by_the_mock(
    operation: Operation, server: MockServer, coverage: Coverage
) -> None:
    for case in (*near_cases(operation), *cases_with_unknown_members(operation)):
        # What is no plain segment of a path, schemathesis and its transport spell in their own way.
        segments = map(str, case.path_parameters.values())
        is_plain = all(re.fullmatch(r"[\w.~-]+", segment, re.ASCII) for segment in segments)
        # Schemathesis escapes nothing in a cookie.
        cookies = "".join(map(str, case.cookies.values()))
        is_plain = is_plain and re.fullmatch(r"[!#-+\-.-:<-\[\]-~]*", cookies) is not None
        if is_plain and has_text(case) and is_sendable(case):
            server.reset()
            status = answer(case, server).status_code
            coverage.record(server.journal[-1])
            with tally.counted(case, functools.partial(curl, case), cases=0):
                assert (200 <= status < 300) == is_valid_as_text(case), f"status {status}"


@each_operation
def test_a_method_and_a_content_type_of_no_operation_are_refused(
    operation: Operation, server: MockServer
) -> None:
    case = valid_case(operation)
    item = operation.schema.raw_schema["paths"][operation.path]
    methods = {method for method in METHODS if method in item}
    for method in METHODS:
        if method not in methods:
            reply = answer(changed(case, method=method.upper()), server)
            assert reply.status_code == 405
            assert methods <= {*reply.headers["allow"][0].lower().split(", ")}
    # What is asked for, so that nothing but the content type is wrong.
    asked = json.loads(json.dumps(case.body, default=str)) if isinstance(case.body, dict) else {}
    for kind in OTHERS:
        if contents(case) and kind not in map(media_type, contents(case)):
            body = "text" if kind == "text/plain" else asked or {"x": "y"}
            reply = answer(changed(case, media_type=kind, body=body), server)
            assert 400 <= reply.status_code < 500


@each_operation
def test_wrong_credentials_are_refused_as_the_document_says(
    operation: Operation, server: MockServer
) -> None:
    case = valid_case(operation)
    status = answer(case, server, "another-token").status_code
    assert (status == 401) == is_secured(case)


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
        if answer.status >= 300 or not is_json(media_type(answer.headers.get("content-type", ""))):
            return answer
        body = json.loads(answer.body)
        with contextlib.suppress(AttributeError, StopIteration):  # It has no such member.
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
