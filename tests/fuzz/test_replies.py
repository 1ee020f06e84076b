"""Run 3: replies that the document allows, and such as the wild has, come out of the client."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis.pytest
from conftest import PROJECT
from hypothesis import HealthCheck, Phase, assume, find, settings
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from signalwire_compat import APIResponseError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.engine import Answer

from . import tally
from .agreement import assert_decoded, assert_refused, assert_told, only, send
from .budget import EXAMPLES, INVALID, VALID, operations, slices, spec
from .document import AnyCase
from .mirror import documented, wild
from .ways import Caller, ways

Requests = dict[str, AnyCase]
FIRST = settings(
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def hasty(server: MockServer) -> Iterator[Caller]:
    made = Caller(PROJECT, DEFAULT_TOKEN, server.url, max_retries=0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def requests() -> Requests:
    """Make a valid request for each operation, by its id."""
    return {
        operation.definition.raw["operationId"]: find(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            lambda _: True,
            settings=FIRST,
        )
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
    status = int(case.path.rpartition("/")[2].replace("X", "0").replace("default", "400"))
    kind = case.headers.get("content-type") or case.media_type or "application/json"
    answer = Answer(status, as_bytes(case.body), {"content-type": kind})
    return answer, hasty if status in (429, 503) else caller


@schemathesis.pytest.parametrize(
    **slices("documented", VALID, documented, EXAMPLES // 8, 2),
    **slices("wild", VALID, wild, EXAMPLES // 8, 2),
)
def test_a_reply_comes_out_of_the_client_whole(
    case: AnyCase, server: MockServer, caller: Caller, hasty: Caller, requests: Requests
) -> None:
    answer, caller = answered(case, caller, hasty)
    request = requests[case.path.split("/")[1]]
    with tally.counted(answer), server.answering(lambda _: answer):
        for way in ways(case):
            outcome, journal = send(way, request, server, caller)
            exchange = only(journal, outcome)
            if answer.status < 300:
                assert_decoded(way, outcome, exchange)
                # A value that the document does not know is told of, all of them in one line.
                assert len(outcome.warnings) <= ("[wild" in tally.current.name)
            else:
                assert_refused(way, request, outcome, exchange)


@schemathesis.pytest.parametrize(**slices("broken", INVALID, documented, EXAMPLES // 8, 2))
def test_a_reply_that_breaks_the_document_is_no_bare_exception(
    case: AnyCase, server: MockServer, caller: Caller, hasty: Caller, requests: Requests
) -> None:
    assume(case.method.upper() == case.operation.method.upper())
    answer, caller = answered(case, caller, hasty)
    request = requests[case.path.split("/")[1]]
    with tally.counted(answer), server.answering(lambda _: answer):
        for way in ways(case):
            outcome, journal = send(way, request, server, caller)
            exchange = only(journal, outcome)
            error = outcome.error
            if answer.status >= 300:
                assert_refused(way, request, outcome, exchange)
            elif error is None:
                assert_decoded(way, outcome, exchange, converted=True)
                # Some cases break nothing but the content type, which the client does not heed.
                whole = answer.headers["content-type"] != "application/json"
                assert whole or len(outcome.warnings) == 1, "no line of the log tells of it"
            else:
                assert isinstance(error, APIResponseError), repr(error)
                assert error.status == answer.status
                assert error.content == answer.body
                assert_told(request, error)
                assert error.outcome_unknown == (request.method.upper() != "GET")
