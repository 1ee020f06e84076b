"""Run 3: replies that the document allows, and such as the wild has, come out of the client."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis.pytest
from hypothesis import assume
from schemathesis.core import NotSet
from signalwire_compat import APIResponseError, APIStatusError
from signalwire_compat_mock import DEFAULT_TOKEN, Exchange, MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT

from . import tally
from .agreement import assert_decoded, assert_refused, assert_told, only, send
from .budget import (
    EXAMPLES,
    INVALID,
    VALID,
    Operation,
    each_operation,
    operations,
    slices,
    spec,
)
from .coverage import Coverage
from .document import AnyCase
from .meaning import is_valid_as_meant
from .mirror import documented, wild
from .near import near_cases, valid_case
from .ways import DETAILED, FACADE, Caller, Outcome, ways

Requests = dict[str, AnyCase]


@pytest.fixture(scope="module")
def hasty(server: MockServer) -> Iterator[Caller]:
    made = Caller(PROJECT, DEFAULT_TOKEN, server.url, max_retries=0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def requests() -> Requests:
    """Make a valid request for each operation, by its id."""
    return {
        operation.definition.raw["operationId"]: valid_case(operation)
        for operation in operations(spec())
    }


def as_bytes(body: Any) -> bytes:
    if isinstance(body, NotSet | bytes):
        return b"" if isinstance(body, NotSet) else bytes(body)
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def answered(case: AnyCase, caller: Caller, hasty: Caller) -> tuple[Answer, Caller]:
    """Turn the request that schemathesis made into the reply that it mirrors, and say who calls.

    One that does not try again calls where the reply asks for that.
    """
    status = status_of(case.path.rpartition("/")[2])
    kind = case.headers.get("content-type") or case.media_type or "application/json"
    answer = Answer(status, as_bytes(case.body), {"content-type": kind})
    return answer, hasty if status in (429, 503) else caller


def status_of(documented: str) -> int:
    """Choose a status of those that one key of the document stands for, and no other of its."""
    return int(documented.replace("X", "0").replace("default", "399"))


def always(answer: Answer) -> Callable[[Answer], Answer]:
    """Make a server say this, whatever it would say."""
    return lambda real: replace(answer, operation_id=real.operation_id)


def assert_whole(
    way: str, request: AnyCase, outcome: Outcome, exchange: Exchange, *, wild: bool
) -> None:
    """Check that a reply that the document allows came out of the client as it is."""
    if exchange.status < 300:
        assert_decoded(way, request, outcome, exchange)
        # A value that the document does not know is told of, all of them in one line.
        assert len(outcome.warnings) <= wild
    else:
        assert_refused(way, request, outcome, exchange, documented=not wild)


def assert_borne(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
    """Check that a reply that breaks the document is read as far as it goes, or well raised."""
    error = outcome.error
    if exchange.status >= 300:
        assert_refused(way, request, outcome, exchange)
    elif error is None:
        assert_decoded(way, request, outcome, exchange, converted=True)
        assert len(outcome.warnings) == 1, "no line of the log tells of it"
    else:
        assert isinstance(error, APIResponseError), repr(error)
        assert error.status == exchange.status
        assert error.content == exchange.reply_body
        assert_told(request, error)
        assert error.outcome_unknown == (request.method.upper() != "GET")


@each_operation
def test_each_documented_reply_reaches_the_caller(
    operation: Operation,
    server: MockServer,
    caller: Caller,
    hasty: Caller,
    coverage: Coverage,
) -> None:
    request = valid_case(operation)
    mirrored = {found.path: found for found in operations(documented())}
    for documented_as in operation.definition.raw["responses"]:
        path = f"/{operation.definition.raw['operationId']}/{documented_as}"
        if path in mirrored:
            answer, chosen = answered(valid_case(mirrored[path]), caller, hasty)
        else:
            answer, chosen = Answer(status_of(documented_as), b"", {}), hasty
        with tally.counted(answer), server.answering(always(answer)):
            outcome, journal = send("sync", request, server, chosen)
            exchange = only(journal, outcome)
            assert_whole("sync", request, outcome, exchange, wild=False)
            coverage.record(exchange)


@pytest.mark.parametrize("layer", [FACADE, DETAILED], ids=["facade", "detailed"])
@pytest.mark.parametrize("mirrored", operations(documented()), ids=lambda found: found.path)
def test_a_reply_with_one_odd_member_is_whole_or_borne(
    mirrored: Operation,
    layer: tuple[str, str],
    server: MockServer,
    caller: Caller,
    hasty: Caller,
    requests: Requests,
) -> None:
    request = requests[mirrored.path.split("/")[1]]
    for case in near_cases(mirrored):
        answer, chosen = answered(case, caller, hasty)
        is_whole = is_valid_as_meant(case)
        with (
            tally.counted(answer),
            server.answering(always(answer)),
        ):
            for way in layer:
                outcome, journal = send(way, request, server, chosen)
                exchange = only(journal, outcome)
                if is_whole:
                    assert_whole(way, request, outcome, exchange, wild=False)
                else:
                    assert_borne(way, request, outcome, exchange)


def _not_whole(answer: Answer) -> Iterator[Answer]:
    """Spoil a reply so that it is no JSON any more, or not all of it."""
    for body in (b"", b" ", answer.body[:-1], answer.body[: len(answer.body) // 2]):
        yield replace(answer, body=body)
    for body in (b"<html>busy</html>", answer.body + answer.body, b"\xff" + answer.body):
        yield replace(answer, body=body)
    packed = gzip.compress(answer.body, mtime=0)
    for coding, body in (("gzip", answer.body), ("gzip", packed[:-20]), ("br", answer.body)):
        headers = {**answer.headers, "content-encoding": coding}
        yield replace(answer, body=body, headers=headers)


@pytest.mark.parametrize("way", [*FACADE, *DETAILED])
@pytest.mark.parametrize("mirrored", operations(documented()), ids=lambda found: found.path)
def test_a_reply_that_is_not_whole_is_no_result(
    mirrored: Operation,
    way: str,
    server: MockServer,
    caller: Caller,
    hasty: Caller,
    requests: Requests,
) -> None:
    request = requests[mirrored.path.split("/")[1]]
    answer, chosen = answered(valid_case(mirrored), caller, hasty)
    for broken in _not_whole(answer):
        with (
            tally.counted(broken),
            server.answering(always(broken)),
        ):
            outcome, journal = send(way, request, server, chosen)
            exchange = only(journal, outcome)
            kind = APIResponseError if exchange.status < 300 else APIStatusError
            assert isinstance(outcome.error, kind), f"{outcome} for {broken}"
            said = (exchange.reply_body, answer.body[: len(outcome.error.content or b"")])
            assert outcome.error.content in said
            assert_told(request, outcome.error)


@schemathesis.pytest.parametrize(
    **slices("documented", VALID, documented, EXAMPLES // 8, 2),
    **slices("wild", VALID, wild, EXAMPLES // 8, 2),
)
def test_a_reply_comes_out_of_the_client_whole(
    case: AnyCase, server: MockServer, caller: Caller, hasty: Caller, requests: Requests
) -> None:
    answer, caller = answered(case, caller, hasty)
    request = requests[case.path.split("/")[1]]
    is_wild = "[wild" in tally.current.name
    with tally.counted(answer), server.answering(always(answer)):
        for way in ways(case):
            outcome, journal = send(way, request, server, caller)
            assert_whole(way, request, outcome, only(journal, outcome), wild=is_wild)


@schemathesis.pytest.parametrize(**slices("broken", INVALID, documented, EXAMPLES // 8, 2))
def test_a_reply_that_breaks_the_document_is_no_bare_exception(
    case: AnyCase, server: MockServer, caller: Caller, hasty: Caller, requests: Requests
) -> None:
    assume(case.method.upper() == case.operation.method.upper())
    # Some cases break nothing but the content type, which the client does not heed.
    assume(case.headers.get("content-type", "application/json") == "application/json")
    answer, caller = answered(case, caller, hasty)
    request = requests[case.path.split("/")[1]]
    with tally.counted(answer), server.answering(always(answer)):
        for way in ways(case):
            outcome, journal = send(way, request, server, caller)
            assert_borne(way, request, outcome, only(journal, outcome))
