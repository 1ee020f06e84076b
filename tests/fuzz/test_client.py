"""Run 2: what schemathesis means goes through the client, in each way, and comes back whole."""

import functools

import pytest
import schemathesis.pytest
from hypothesis import assume
from signalwire_compat import InvalidRequestError
from signalwire_compat_mock import MockServer

from . import tally
from .agreement import assert_decoded, assert_refused, only, send
from .budget import EXAMPLES, INVALID, VALID, Operation, operations, slices, spec
from .coverage import Coverage
from .document import AnyCase, make_files
from .meaning import (
    assert_meant,
    curl,
    has_text,
    is_sendable,
    is_valid_as_meant,
    is_valid_as_text,
    unnamed,
)
from .near import near_cases
from .ways import DETAILED, FACADE, Caller, NoSuchArgumentError, ways


def assert_taken(
    way: str, case: AnyCase, server: MockServer, caller: Caller, coverage: Coverage
) -> None:
    """Send a valid case, and check what the server saw and what came back."""
    outcome, journal = send(way, case, server, caller)
    exchange = only(journal, outcome)
    coverage.record(exchange)
    assert 200 <= exchange.status < 300, exchange.refusal
    assert_meant(case, exchange)
    assert_decoded(way, case, outcome, exchange)
    assert outcome.warnings == ()
    assert list(unnamed(outcome.value)) == [], "the document does not name all of the reply"


def assert_not_taken(
    way: str, case: AnyCase, server: MockServer, caller: Caller, coverage: Coverage
) -> None:
    """Send an invalid case, and check that it is refused, in general before it is sent."""
    outcome, journal = send(way, case, server, caller)
    for exchange in journal:
        coverage.record(exchange)
    if isinstance(outcome.error, NoSuchArgumentError | InvalidRequestError):
        assert journal == [], "it was sent, and the exception says that it was not"
        assert not getattr(outcome.error, "outcome_unknown", False)
        return
    exchange = only(journal, outcome)
    assert is_valid_as_text(case), "an invalid request was sent"
    assert_meant(case, exchange)
    if exchange.status < 300:
        assert_decoded(way, case, outcome, exchange)
    else:
        assert 400 <= exchange.status < 500
        assert_refused(way, case, outcome, exchange)


@pytest.mark.parametrize("layer", [FACADE, DETAILED], ids=["facade", "detailed"])
@pytest.mark.parametrize("operation", operations(spec()), ids=lambda found: found.label)
def test_a_case_with_one_odd_member_is_taken_or_refused_as_the_document_says(
    operation: Operation,
    layer: tuple[str, str],
    server: MockServer,
    caller: Caller,
    coverage: Coverage,
) -> None:
    for case in near_cases(operation):
        check = assert_taken if is_valid_as_meant(case) else assert_not_taken
        with tally.counted(case, functools.partial(curl, case)):
            for way in layer:
                check(way, case, server, caller, coverage)


@schemathesis.pytest.parametrize(**slices("valid", VALID, spec, EXAMPLES, 4))
def test_a_valid_case_reaches_the_server_as_it_was_meant(
    case: AnyCase, server: MockServer, caller: Caller, coverage: Coverage
) -> None:
    assume(is_sendable(case) and has_text(case))
    make_files(case)
    with tally.counted(case, lambda: curl(case)):
        for way in ways(case):
            assert_taken(way, case, server, caller, coverage)


@schemathesis.pytest.parametrize(**slices("invalid", INVALID, spec, EXAMPLES, 4))
def test_an_invalid_case_is_refused_with_an_exception_of_ours(
    case: AnyCase, server: MockServer, caller: Caller, coverage: Coverage
) -> None:
    # A caller of the facade can't choose another method.
    assume(case.method.upper() == case.operation.method.upper())
    make_files(case)
    with tally.counted(case, lambda: curl(case)):
        for way in ways(case):
            assert_not_taken(way, case, server, caller, coverage)
