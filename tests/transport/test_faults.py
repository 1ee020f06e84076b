"""Each fault of the table ends as it promises, for both clients, and rows can fail."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from signalwire_compat import APIConnectionError
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.faults.callers import CALLERS, TOKEN, Caller
from tests.transport.faults.page import DOCUMENT, document
from tests.transport.faults.rows import BY_NAME, FAULTS, GROUPS, as_parameters
from tests.transport.faults.run import run
from tests.transport.faults.table import CALLERS_CLIENTS, KINDS, Kind, bought, lost


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", as_parameters(BY_NAME))
def test_a_fault_ends_as_the_table_promises(name: str, kind: Kind) -> None:
    assert run(BY_NAME[name], kind).problems == ()


@pytest.mark.parametrize("kind", CALLERS_CLIENTS)
@pytest.mark.parametrize("name", as_parameters(fault.name for fault in FAULTS if fault.costs))
def test_no_money_is_lost_over_a_client_of_the_callers(name: str, kind: Kind) -> None:
    assert run(BY_NAME[name], kind).problems == ()


def test_the_page_about_reliability_is_what_the_table_gives() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run 'make faults' and commit the page"


def test_every_row_of_the_table_has_a_name_of_its_own_and_buys_once_at_most() -> None:
    assert len(BY_NAME) == len(FAULTS) >= 80
    assert all(faults for _, faults in GROUPS.values())
    for fault in FAULTS:
        assert fault.server.endswith(".")
        assert fault.executed <= 1
        if fault.promise.kind is None:
            assert fault.executed == 1
        elif not fault.executed:
            continue
        else:
            assert fault.promise.outcome_unknown is True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("chunked", {"promise": lost()}, "bought, not APIConnectionError"),
        ("chunked", {"executed": 0}, "the server executed 1 purchases, not 0"),
        ("chunked", {"requests": 2}, "the server saw 1 requests, not 2"),
        ("chunked", {"at_least_seconds": 9.0}, "s, not 9.0 to 12.0 s"),
        ("chunked", {"at_most_seconds": 1e-9}, "s, not 0.0 to 1e-09 s"),
        ("chunked", {"memory_bytes": 1}, "bytes of memory, more than 1"),
        ("chunked", {"promise": bought(beta=True)}, "beta is False, not True"),
        ("chunked", {"promise": bought(drift=("/beta",))}, "warned [], not of ('/beta',)"),
        ("beta-in-quotes", {"promise": bought()}, "warned: ["),
        ("close-after-executing", {"promise": bought()}, "APIConnectionError: phone_numbers"),
        ("close-in-the-body", {"promise": lost(201, sid=True)}, "sid is None"),
        ("close-in-the-body", {"promise": lost()}, "the status is 201, not None"),
        ("status-500", {"promise": replace(BY_NAME["status-422"].promise)}, "ServerError: "),
        ("tls-handshake-reset", {"connections": 1}, "the server saw 2 connections, not 1"),
    ],
)
def test_a_row_that_promises_something_else_is_not_clean(
    name: str, changes: dict[str, Any], problem: str, kind: Kind
) -> None:
    assert problem in " ".join(run(replace(BY_NAME[name], **changes), kind).problems)


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_shows_its_token_is_not_clean(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shows_it(self: object, number: str, timeout: float | None = None) -> IncomingPhoneNumber:
        if timeout:
            raise KeyError(number)
        raise APIConnectionError(f"lost {TOKEN}", operation="x", outcome_unknown=True)

    monkeypatch.setattr(CALLERS[kind], "purchase", shows_it)
    found = " ".join(run(BY_NAME["close-after-executing"], kind).problems)
    for problem in (
        "a piece of the secret is in the traceback",
        "a piece of the secret is in the pickle",
        "a piece of the secret is in the attributes",
        "the next purchase failed: KeyError",
        "operation is 'x'",
        "arguments are {}",
        "there is no __cause__",
        "the message names not what was tried",
    ):
        assert problem in found


@pytest.mark.parametrize("kind", CALLERS_CLIENTS)
def test_a_column_of_a_client_that_loses_money_is_not_clean(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase: Callable[..., IncomingPhoneNumber] = CALLERS[kind].purchase

    def buys_twice(self: Any, number: str, timeout: float | None = None) -> IncomingPhoneNumber:
        purchase(self, number, timeout)
        if timeout:
            return purchase(self, "+13105550109", timeout)
        purchase(self, number, timeout)
        raise APIConnectionError(f"lost {TOKEN}", operation="x", outcome_unknown=False)

    monkeypatch.setattr(CALLERS[kind], "purchase", buys_twice)
    found = " ".join(run(BY_NAME["chunked"], kind).problems)
    for problem in (
        "a piece of the secret is in the traceback",
        "the server saw 2 requests",
        "+13105550100 was executed 2 times",
        "+13105550100 was executed, and reported as not bought",
        "+13105550102 was asked for, and +13105550109 returned",
        "+13105550109 was never asked for",
    ):
        assert problem in found


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_keeps_its_connections_is_not_clean(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_open: list[Caller] = []
    close: Callable[[Any], None] = CALLERS[kind].close
    monkeypatch.setattr(CALLERS[kind], "close", lambda caller: left_open.append(caller))
    problems = run(BY_NAME["chunked"], kind).problems
    for caller in left_open:
        close(caller)
    assert problems == ("1 connections are open after closing",)
