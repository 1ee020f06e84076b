"""Run 3: documented replies, and others that servers send, come out of the client."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis.pytest
from hypothesis import assume
from signalwire_compat_mock import Exchange, MockServer
from signalwire_compat_mock.engine import Answer

from signalwire_compat_fuzz import console
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.canned_replies import (
    OPERATIONS,
    OTHER_SUCCESSES,
    REPLIES,
    alike,
    answer_of,
    one_alike,
    request_of,
    status_of,
    truncated_or_broken,
    with_sids,
    written_in_other_ways,
)
from signalwire_compat_fuzz.case_sources import (
    INVALID,
    VALID,
    Operation,
    each_operation,
    schemas_of_replies,
    slices,
    wild,
)
from signalwire_compat_fuzz.client_calls import (
    DETAILED,
    FACADE,
    PACKAGE,
    Caller,
    Outcome,
    each_layer,
    layer_of,
)
from signalwire_compat_fuzz.contract_coverage import COVERAGE
from signalwire_compat_fuzz.credentials import PROJECT, TOKEN
from signalwire_compat_fuzz.document import JSON, AnyCase
from signalwire_compat_fuzz.expected_error import (
    assert_names_the_call,
    assert_refused,
    assert_unusable,
    error_replies,
)
from signalwire_compat_fuzz.expected_reply import assert_decoded, only_exchange, send
from signalwire_compat_fuzz.expected_request import is_valid_as_meant
from signalwire_compat_fuzz.near_valid import (
    changed,
    misspelt,
    near_valid_cases,
    valid_case,
)
from signalwire_compat_fuzz.options import EXAMPLES

REQUEST_ID = "b4f2c1"
REQUEST_IDS = ("X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Amzn-RequestId", "CF-Ray")
"""Headers in which providers and proxies send the id of a request."""
each_reply = pytest.mark.parametrize("reply", REPLIES.values(), ids=lambda o: o.path)
Check = Callable[[str, AnyCase, Outcome, Exchange], None]
Answered = Callable[[str, Answer, Iterable[str], Check], None]


@pytest.fixture(scope="module")
def answered(server: MockServer, caller: Caller) -> Iterator[Answered]:
    """Return a function that has a call of a path's operation answered so, and checks the outcome.

    A path is that of a reply that schemathesis made as a request.
    """

    def answered(path: str, answer: Answer, ways: Iterable[str], check: Check) -> None:
        request = request_of(path)
        name = REQUEST_IDS[doc.lot(answer.body, len(REQUEST_IDS))]
        answer = replace(answer, headers={**answer.headers, name: REQUEST_ID})
        asks_for_retry = answer.status in (408, 425, 429) or answer.status >= 500
        sender = no_retry_caller if asks_for_retry else caller
        with (
            console.counted(answer),
            server.answering(lambda real: replace(answer, operation_id=real.operation_id)),
        ):
            first = None
            for way in ways:
                outcome, journal = send(way, request, server, sender)
                exchange = only_exchange(journal, outcome)
                if first is None:
                    first = outcome
                    check(way, request, outcome, exchange)
                    assert_has_headers(way, answer, outcome)
                assert outcome.shown == first.shown, f"{way} is not like its twin"

    with Caller(PROJECT, TOKEN, server.url, max_retries=0) as no_retry_caller:
        yield answered


def assert_has_headers(way: str, answer: Answer, outcome: Outcome) -> None:
    """Check that an exception and a detailed reply have the headers that came, in lower case."""
    if outcome.error is not None:
        assert getattr(outcome.error, "request_id", None) == REQUEST_ID, repr(outcome.error)
    if outcome.error is not None or way.endswith("detailed"):
        told: Any = outcome.error or outcome.value
        sent = {name.lower(): value for name, value in answer.headers.items()}
        came = {name: told.headers.get(name) for name in sent}
        assert came == sent, "these headers came"


def assert_complete(
    way: str, request: AnyCase, outcome: Outcome, exchange: Exchange, *, wild: bool = False
) -> None:
    if exchange.status < 300:
        assert_decoded(way, request, outcome, exchange)
        # Unknown values are logged, all of them in one line.
        unrepeated = doc.repeats(request) and doc.unrepeated(
            request, json.loads(exchange.reply_body)
        )
        assert len(outcome.warnings) - len(unrepeated) <= wild
    else:
        assert_refused(way, request, outcome, exchange)


def assert_tolerated(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
    """Check that a reply that breaks the document is decoded and logged, or raised as ours."""
    error = outcome.error
    if exchange.status >= 300:
        assert_refused(way, request, outcome, exchange)
    elif error is None:
        assert_decoded(way, request, outcome, exchange, converted=True)
        said = json.loads(exchange.reply_body)
        assert doc.differing(request, said) == [], "it is about something else"
        unrepeated = doc.unrepeated(request, said)
        assert len(outcome.warnings) == 1 + len(unrepeated), "no line of the log says so"
        places = [found.instance_path for found in _wrong(request, exchange.status, said)]
        assert len(places) > 20 or all(str(place[0]) in outcome.warnings[-1] for place in places)
    else:
        assert_unusable(way, request, outcome, exchange)


def _wrong(request: AnyCase, status: int, said: Any) -> list[Any]:
    """List what members of a reply break, apart from those that are missing: null ones may be."""
    wrong = doc.violations(request, doc.reply_schema(request, status) or {}, said)
    return [found for found in wrong if found.instance_path and found.schema_path[-1] != "required"]


@each_operation
def test_each_documented_reply_reaches_the_caller(operation: Operation, answered: Answered) -> None:
    def check(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
        assert_complete(way, request, outcome, exchange)
        COVERAGE.record(request, exchange)

    for key in operation.definition.raw["responses"]:
        path = f"/{operation.definition.raw['operationId']}/{key}"
        empty = Answer(status_of(key), b"", {})
        answer = answer_of(valid_case(REPLIES[path]), path) if path in REPLIES else empty
        answered(path, answer, ["sync"], check)
        responses = operation.definition.raw["responses"]
        if path not in REPLIES and [n for n in responses if n[0] == "2"] == [key]:
            for number, status in enumerate(OTHER_SUCCESSES):
                layer = (FACADE, DETAILED)[number % 2]
                answered(path, replace(empty, status=status), layer, assert_complete)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda o: o.label)
def test_an_error_of_any_status_and_shape_says_what_came(
    operation: Operation, answered: Answered
) -> None:
    # Operations share the shapes, and not all begin with the same layer.
    name, parts = operation.definition.raw["operationId"], min(3, len(OPERATIONS))
    path, place = f"/{name}/", [*OPERATIONS].index(name)
    replies = error_replies(place % parts, parts)
    for number, (status, content, told) in enumerate(replies, place):
        check = functools.partial(assert_refused, told=told)
        answer = Answer(status, content, {"content-type": JSON})
        answered(path, answer, (FACADE, DETAILED)[number % 2], check)


@each_reply
def test_a_reply_with_one_odd_member_is_complete_or_tolerated(
    reply: Operation, answered: Answered
) -> None:
    group = next(paths for paths in alike().values() if reply.path in paths)
    # Replies with one schema share what was drawn for the first.
    for case in near_valid_cases(REPLIES[group[0]], group.index(reply.path), len(group)):
        check = assert_complete if is_valid_as_meant(case) else assert_tolerated
        layer = (FACADE, DETAILED)[doc.lot(case.body, 2)]
        answered(reply.path, answer_of(case, reply.path), layer, check)


@each_layer
@pytest.mark.parametrize(
    "reply",
    [
        reply
        for reply in REPLIES.values()
        if "/2" in reply.path and reply.path.split("/")[1] in doc.repeating()
    ],
    ids=lambda o: o.path,
)
def test_a_reply_about_something_else_is_an_exception(
    reply: Operation, layer: tuple[str, str], answered: Answered
) -> None:
    def check(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
        said = json.loads(exchange.reply_body)
        differs = doc.differing(request, said)
        (assert_unusable if differs else assert_complete)(way, request, outcome, exchange)
        assert all(repr(said[name])[:20] in str(outcome.error) for name in differs)
        COVERAGE.record(request, exchange)

    answer = answer_of(valid_case(reply), reply.path)
    for name, (asked, _) in doc.repeats(request_of(reply.path)).items():
        text = str(asked)
        others = (f"{text[:i]}{7 if c != '7' else 8}{text[i + 1 :]}" for i, c in enumerate(text))
        blank = [""] if name != "sid" else []
        for value in (asked, *blank, *misspelt([text]), *others):
            body = json.dumps({**json.loads(answer.body), name: value}).encode()
            answered(reply.path, replace(answer, body=body), layer, check)


@each_reply
def test_a_reply_that_is_written_in_another_way_says_the_same(
    reply: Operation, answered: Answered
) -> None:
    answer = answer_of(valid_case(reply), reply.path)

    def check(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
        plain = replace(exchange, reply_body=answer.body)
        told: Any = outcome.error or outcome.value
        if hasattr(told, "content") and told.content != answer.body:
            assert told.content == exchange.reply_body
            plain = exchange
        assert_complete(way, request, outcome, plain)

    responses = OPERATIONS[reply.path.split("/")[1]].definition.raw["responses"]
    is_only = sum(key.startswith("2") for key in responses) == 1
    for number, other in enumerate(written_in_other_ways(answer)):
        if is_only or other.status == answer.status:
            answered(reply.path, other, (FACADE, DETAILED)[number % 2], check)


@each_layer
@each_reply
def test_a_truncated_or_broken_reply_is_an_exception(
    reply: Operation, layer: tuple[str, str], answered: Answered
) -> None:
    complete = answer_of(valid_case(reply), reply.path)

    def check(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
        error = outcome.error
        kind = PACKAGE.APIResponseError if exchange.status < 300 else PACKAGE.APIStatusError
        assert isinstance(error, kind), f"{outcome} {way}"
        decompressed = complete.body[: len(error.content or b"")]
        assert error.content in (exchange.reply_body, decompressed)
        assert error.status == exchange.status
        # Even a part of a reply can have the SID of what it is about.
        said = json.loads(complete.body)
        if exchange.status < 300 and error.content == exchange.reply_body != complete.body:
            is_packed = "content-encoding" in error.headers
            assert is_packed or isinstance(error.__cause__, ValueError), (
                "the parser's error is not the cause"
            )
        sid = said.get("sid") if isinstance(said, dict) else None
        assert error.sid == (sid if f'"sid": "{sid}"'.encode() in error.content else None)
        assert_names_the_call(request, error)

    for broken in truncated_or_broken(complete):
        answered(reply.path, broken, layer, check)


@schemathesis.pytest.parametrize(
    **slices("documented", VALID, schemas_of_replies, EXAMPLES // 4, 2),
    **slices("wild", VALID, wild, EXAMPLES // 4, 2),
)
def test_a_reply_comes_out_of_the_client_complete(case: AnyCase, answered: Answered) -> None:
    check = functools.partial(assert_complete, wild="[wild" in console.current.name)
    path = one_alike(case)
    answered(path, answer_of(case, path), layer_of(case), check)


@schemathesis.pytest.parametrize(**slices("broken", INVALID, schemas_of_replies, EXAMPLES // 4, 2))
def test_a_reply_that_breaks_the_document_is_no_bare_exception(
    case: AnyCase, answered: Answered
) -> None:
    assume(case.method.upper() == case.operation.method.upper())
    # Some cases break nothing but the content type, which the client ignores.
    assume(case.headers.get("content-type", JSON) == JSON)
    # A blank SID is an error of a single resource alone: in a list it breaks nothing.
    filled = with_sids(case.body)
    assume(filled == case.body or not is_valid_as_meant(changed(case, body=filled)))
    path = one_alike(case)
    answered(path, answer_of(case, path), layer_of(case), assert_tolerated)
