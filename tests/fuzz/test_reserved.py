"""Run 6: the reserved numbers of the mock, wherever a request can name a number.

A reserved number is "+155500" and five digits: the error code with which it is refused.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.case_sources import Operation, operations, spec
from signalwire_compat_fuzz.client_calls import FACADE, Caller
from signalwire_compat_fuzz.console import counted
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.near_valid import changed, full_body, valid_case
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

from .record_rules import assert_refused_with

CODES = doc.DOCUMENT["components"]["schemas"]["Error"]["x-error-codes"]
NAMING = [
    found
    for found in operations(spec())
    if "requestBody" in found.definition.raw or "{" in found.path.replace("{AccountSid}", "")
]
"""The operations that can name a number: all with a body, or with a parameter in the path."""


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with (
        MockServer(allow_import=True) as server,
        Caller(PROJECT, DEFAULT_TOKEN, server.url) as caller,
    ):
        yield caller


@pytest.mark.parametrize("operation", NAMING, ids=lambda o: o.label)
def test_a_reserved_number_is_refused_wherever_it_stands(
    operation: Operation, caller: Caller
) -> None:
    base = changed(valid_case(operation), query={})
    for code, entry in CODES.items():
        if str(entry["status"]) in operation.definition.raw["responses"]:
            for case in naming(base, f"+155500{int(code):05}"):
                for way in FACADE:
                    with counted(case):
                        outcome = caller.call(way, case)
                        assert_refused_with(outcome, entry["status"], int(code))


def naming(base: AnyCase, number: str) -> Iterator[AnyCase]:
    """Put a number in place of each SID, country and number, with a small and a whole body."""
    path = {**base.path_parameters, "AccountSid": PROJECT}
    bodies: list[Any] = [base.body]
    if isinstance(base.body, dict):
        bodies.append(full_body(base))
    for body in bodies:
        for name in path.keys() - {"AccountSid"}:
            yield changed(base, path_parameters={**path, name: number}, body=body)
        for name, value in body.items() if isinstance(body, dict) else ():
            if str(value).startswith("+"):
                yield changed(base, path_parameters=path, body={**body, name: number})
