"""Run 3: documented replies, and others that servers send, come out of the client."""

import functools
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
import schemathesis.pytest
from hypothesis import assume
from schemathesis.core import NotSet
from signalwire_compat_mock import Exchange, MockServer
from signalwire_compat_mock.engine import Answer

from signalwire_compat_fuzz import console
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.case_sources import (
    INVALID,
    VALID,
    Operation,
    documented,
    each_operation,
    operations,
    schemas_of_replies,
    slices,
    spec,
    wild,
)
from signalwire_compat_fuzz.client_calls import PACKAGE, Caller, Outcome, each_layer, layer_of
from signalwire_compat_fuzz.contract_coverage import COVERAGE
from signalwire_compat_fuzz.credentials import PROJECT, TOKEN
from signalwire_compat_fuzz.document import JSON, AnyCase
from signalwire_compat_fuzz.expected_reply import (
    assert_decoded,
    assert_names_the_call,
    assert_refused,
    only_exchange,
    send,
)
from signalwire_compat_fuzz.expected_request import is_valid_as_meant
from signalwire_compat_fuzz.near_valid import (
    changed,
    full_body,
    misspelt,
    near_valid_cases,
    valid_case,
)
from signalwire_compat_fuzz.options import EXAMPLES

REQUEST_ID = "b4f2c1"
REPLIES = {reply.path: reply for reply in operations(documented())}
each_reply = pytest.mark.parametrize("reply", REPLIES.values(), ids=lambda o: o.path)
Check = Callable[[str, AnyCase, Outcome, Exchange], None]
Answered = Callable[[str, Answer, Iterable[str], Check], None]


def request_of(path: str) -> AnyCase:
    """Return a request to the operation of a reply's path."""
    return _request_to(path.split("/")[1])


@functools.cache
def _request_to(operation_id: str) -> AnyCase:
    case = valid_case(_operations()[operation_id])
    return changed(case, body=full_body(case)) if isinstance(case.body, dict) else case


@functools.cache
def _operations() -> dict[str, Operation]:
    return {found.definition.raw["operationId"]: found for found in operations(spec())}


@functools.cache
def _alike() -> dict[str, list[str]]:
    """Group the paths of replies that have the same schema, by the first path of each group."""
    found: dict[str, list[str]] = {}
    for reply in REPLIES.values():
        found.setdefault(json.dumps(reply.definition.raw["requestBody"]), []).append(reply.path)
    return {paths[0]: paths for paths in found.values()}


def one_alike(case: AnyCase) -> str:
    """Choose one of the replies with the same schema for a case: each gets its share."""
    paths = _alike()[case.operation.path]
    return paths[crc32(repr(case.body).encode()) % len(paths)]


@pytest.fixture(scope="module")
def answered(server: MockServer, caller: Caller) -> Iterator[Answered]:
    """Return a function that has a call of a path's operation answered so, and checks the outcome.

    A path is that of a reply that schemathesis made as a request.
    """

    def answered(path: str, answer: Answer, ways: Iterable[str], check: Check) -> None:
        request = request_of(path)
        answer = replace(answer, headers={**answer.headers, "X-Request-Id": REQUEST_ID})
        asks_for_retry = answer.status in (429, 503)
        sender = no_retry_caller if asks_for_retry else caller
        with (
            console.counted(answer),
            server.answering(lambda real: replace(answer, operation_id=real.operation_id)),
        ):
            for way in ways:
                outcome, journal = send(way, request, server, sender)
                check(way, request, outcome, only_exchange(journal, outcome))
                assert_has_headers(way, answer, outcome)

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


def answer_of(case: AnyCase, path: str) -> Answer:
    """Turn the request that schemathesis made into the reply of this path.

    It is about what its request asks for: a text that should repeat an argument does.
    """
    kind = case.headers.get("content-type") or case.media_type or JSON
    body = case.body
    if isinstance(body, dict):
        rules = doc.repeats(request_of(path)).items()
        body = body | {
            n: asked
            for n, (asked, _) in rules
            # A blank SID breaks the rules of a reply, and stays.
            if type(body.get(n)) is type(asked) and (body[n] or n != "sid")
        }
    if not isinstance(body, NotSet | bytes):
        # Half of a surrogate pair is written as an escape: no UTF-8 holds it.
        body = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
    content = b"" if isinstance(body, NotSet) else bytes(body)
    return Answer(status_of(path.rpartition("/")[2]), content, {"content-type": kind})


def status_of(key: str) -> int:
    """Choose a status that this key of the document stands for, and no other key."""
    return int(key.replace("X", "0").replace("default", "399"))


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
        assert_refused(way, request, outcome, exchange, documented=not wild)


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
    else:
        assert_unusable(way, request, outcome, exchange)


def assert_unusable(way: str, request: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
    error = outcome.error
    assert isinstance(error, PACKAGE.APIResponseError), repr(error)
    assert error.status == exchange.status
    assert error.content == exchange.reply_body
    assert_names_the_call(request, error)
    assert error.outcome_unknown == (request.method.upper() != "GET")


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


@each_layer
@each_reply
def test_a_reply_with_one_odd_member_is_complete_or_tolerated(
    reply: Operation, layer: tuple[str, str], answered: Answered
) -> None:
    alike = next(paths for paths in _alike().values() if reply.path in paths)
    for case in near_valid_cases(reply, alike.index(reply.path), len(alike)):
        check = assert_complete if is_valid_as_meant(case) else assert_tolerated
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


def truncated_or_broken(answer: Answer) -> Iterator[Answer]:
    whole, packed = answer.body, gzip.compress(answer.body, mtime=0)
    html = b"<html>busy</html>"
    for body in (b"", b" ", whole[:-1], whole[: len(whole) // 2], html, whole * 2, b"\xff" + whole):
        yield replace(answer, body=body)
    for coding, body in (("gzip", whole), ("gzip", packed[:-20]), ("br", whole)):
        yield replace(answer, body=body, headers={**answer.headers, "content-encoding": coding})


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


def with_sids(body: Any) -> Any:
    """Fill the blank SIDs of the items of a list."""
    if not isinstance(body, dict):
        return body

    def filled(item: Any) -> Any:
        return {**item, "sid": "x"} if isinstance(item, dict) and item.get("sid") == "" else item

    return {n: [*map(filled, v)] if isinstance(v, list) else v for n, v in body.items()}
