"""Run 2: what schemathesis means goes through the client, in each way, and comes back complete."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis.pytest
from hypothesis import assume
from signalwire_compat_mock import MockServer

from signalwire_compat_fuzz.case_sources import (
    INVALID,
    VALID,
    Operation,
    each_operation,
    slices,
    spec,
)
from signalwire_compat_fuzz.client_calls import (
    DETAILED,
    FACADE,
    PACKAGE,
    Caller,
    NoSuchArgumentError,
    Outcome,
    as_called,
    each_layer,
    layer_of,
    python_name,
)
from signalwire_compat_fuzz.console import counted
from signalwire_compat_fuzz.contract_coverage import COVERAGE
from signalwire_compat_fuzz.document import (
    AnyCase,
    argument_name,
    body_schema,
    reply_schema,
    with_files,
    with_plain_path,
)
from signalwire_compat_fuzz.expected_error import (
    assert_knows_no_reply,
    assert_names_the_call,
    assert_refused,
)
from signalwire_compat_fuzz.expected_reply import assert_decoded, only_exchange, send, unnamed
from signalwire_compat_fuzz.expected_request import (
    assert_sent_as_meant,
    doubtful_names,
    has_text,
    is_sendable,
    is_valid_as_meant,
    is_valid_as_text,
    said_of_a_wrong,
    unsendable_names,
    wrong_names,
)
from signalwire_compat_fuzz.near_valid import near_valid_cases
from signalwire_compat_fuzz.options import EXAMPLES, URL
from signalwire_compat_fuzz.relay import Relay
from signalwire_compat_fuzz.rules import broken_rules

Server = MockServer | Relay


@pytest.fixture(scope="module")
def server(server: MockServer) -> Iterator[MockServer | Relay]:
    """Let the server of --url answer, if there is one: the relay sees what arrives there."""
    if not URL:
        yield server
        return
    address = urlsplit(URL)
    with Relay(f"{address.scheme}://{address.netloc}") as relay:
        yield relay


def assert_taken(way: str, case: AnyCase, server: Server, caller: Caller) -> None:
    """Check that a case succeeds, or is refused for a rule that no schema says."""
    outcome, journal = send(way, case, server, caller)
    exchange = only_exchange(journal, outcome)
    COVERAGE.record(case, exchange)
    assert_sent_as_meant(case, exchange)
    if URL and exchange.status >= 300:  # Whether that is right, the run of the server says.
        assert_refused(way, case, outcome, exchange)
        return
    if broken := broken_rules(case):
        assert exchange.status >= 300, "it breaks a rule of the mock and was taken"
        assert int(json.loads(exchange.reply_body)["code"]) in broken.values(), exchange.refusal
        assert_refused(way, case, outcome, exchange)
        return
    assert 200 <= exchange.status < 300, exchange.refusal
    assert_decoded(way, case, outcome, exchange)
    assert outcome.warnings == ()
    if schema := reply_schema(case, exchange.status):
        assert list(unnamed(json.loads(exchange.reply_body), schema)) == []


def assert_not_taken(way: str, case: AnyCase, server: Server, caller: Caller) -> None:
    outcome, journal = send(way, case, server, caller)
    COVERAGE.record(case, journal[0] if journal else None)
    if isinstance(outcome.error, NoSuchArgumentError | PACKAGE.InvalidRequestError):
        assert journal == [], "it was sent, and the exception says that it was not"
        if isinstance(outcome.error, PACKAGE.InvalidRequestError):
            assert_names_what_is_wrong(way, case, outcome)
        return
    exchange = only_exchange(journal, outcome)
    assert is_valid_as_text(case), "an invalid request was sent"
    assert_sent_as_meant(case, exchange)
    if exchange.status < 300:
        assert_decoded(way, case, outcome, exchange)
    else:
        assert URL or 400 <= exchange.status < 500
        assert_refused(way, case, outcome, exchange)


def assert_names_what_is_wrong(way: str, case: AnyCase, outcome: Outcome) -> None:
    """Check that each argument that breaks the document is named, as Python spells it."""
    error: Any = outcome.error
    assert_knows_no_reply(error)
    if not outcome.is_called:
        return
    assert_names_the_call(case, error)
    if way not in FACADE:
        return
    problems = [problem.removeprefix("the header ") for problem in error.problems]
    told = [(re.split(r"[ .\[]", problem, maxsplit=1)[0], problem) for problem in problems]
    named = {python_name(name) for name, _ in told}
    least, more = (
        {python_name(argument_name(case, name)) for name in names}
        for names in (wrong_names(case) or unsendable_names(case), doubtful_names(case))
    )
    assert least <= named <= least | more, error.problems
    for name, problem in told:
        shown = problem.replace("'", '"')  # As the value of a subclass of `str` is quoted.
        assert all(part.replace("'", '"') in shown for part in said_of_a_wrong(case, name)), problem


@each_layer
@each_operation
def test_a_case_with_one_odd_member_is_taken_or_refused_as_the_document_says(
    operation: Operation, layer: tuple[str, str], server: Server, caller: Caller
) -> None:
    # The layers share the cases: both check arguments in the same way.
    for case in near_valid_cases(operation, part=layer == DETAILED, parts=2):
        case = as_called(layer, case)
        check = assert_taken if is_valid_as_meant(case) else assert_not_taken
        with counted(case):
            for way in layer:
                check(way, case, server, caller)


@schemathesis.pytest.parametrize(**slices("valid", VALID, spec, EXAMPLES * 2 // 3, 4))
def test_a_valid_case_reaches_the_server_as_it_was_meant(
    case: AnyCase, server: Server, caller: Caller
) -> None:
    assume(is_sendable(with_plain_path(case)) and has_text(case))
    case.body = with_files(case.body, body_schema(case) or {})
    case = as_called(layer_of(case), case)
    with counted(case):
        for way in layer_of(case):
            assert_taken(way, case, server, caller)


@schemathesis.pytest.parametrize(**slices("invalid", INVALID, spec, EXAMPLES // 3, 4))
def test_an_invalid_case_is_refused_with_an_exception_of_ours(
    case: AnyCase, server: Server, caller: Caller
) -> None:
    # A caller of the facade can't choose another method.
    assume(case.method.upper() == case.operation.method.upper())
    case = with_plain_path(case)
    case.body = with_files(case.body, body_schema(case) or {})
    case = as_called(layer_of(case), case)
    with counted(case):
        for way in layer_of(case):
            assert_not_taken(way, case, server, caller)
