"""Run 2: what schemathesis means goes through the client, in each way, and comes back whole."""

import schemathesis.pytest
from hypothesis import assume
from signalwire_compat import InvalidRequestError
from signalwire_compat_mock import MockServer

from . import tally
from .agreement import assert_decoded, assert_refused, only, send
from .budget import EXAMPLES, INVALID, VALID, slices, spec
from .coverage import Coverage
from .document import AnyCase
from .meaning import assert_meant, curl, has_text, is_valid_as_text
from .ways import Caller, NoSuchArgumentError, ways


@schemathesis.pytest.parametrize(**slices("valid", VALID, spec, EXAMPLES, 4))
def test_a_valid_case_reaches_the_server_as_it_was_meant(
    case: AnyCase, server: MockServer, caller: Caller, coverage: Coverage
) -> None:
    with tally.counted(case, lambda: curl(case)):
        for way in ways(case):
            outcome, journal = send(way, case, server, caller)
            exchange = only(journal, outcome)
            coverage.record(exchange)
            assert 200 <= exchange.status < 300, exchange.refusal
            assert_meant(case, exchange)
            assert_decoded(way, outcome, exchange)
            assert outcome.warnings == ()


@schemathesis.pytest.parametrize(**slices("invalid", INVALID, spec, EXAMPLES, 4))
def test_an_invalid_case_is_refused_with_an_exception_of_ours(
    case: AnyCase, server: MockServer, caller: Caller, coverage: Coverage
) -> None:
    # A caller of the facade can't choose another method.
    assume(case.method.upper() == case.operation.method.upper())
    with tally.counted(case, lambda: curl(case)):
        for way in ways(case):
            outcome, journal = send(way, case, server, caller)
            for exchange in journal:
                coverage.record(exchange)
            if isinstance(outcome.error, NoSuchArgumentError | InvalidRequestError):
                assert journal == [], "it was sent, and the exception says that it was not"
                assert not getattr(outcome.error, "outcome_unknown", False)
                continue
            exchange = only(journal, outcome)
            if has_text(case):
                assert_meant(case, exchange)
            if exchange.status < 300:
                assert is_valid_as_text(case), "an invalid request was taken"
                assert_decoded(way, outcome, exchange)
            else:
                assert 400 <= exchange.status < 500
                assert_refused(way, case, outcome, exchange)
