"""A call that is interrupted, or whose reply can't be used, leaves word of what was bought."""

import asyncio
import gzip
import json
import os
import signal
import socket
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from signalwire_compat import (
    APIResponseError,
    APITimeoutError,
    AsyncRestClient,
    RestClient,
)
from signalwire_compat.models import IncomingPhoneNumber
from signalwire_compat_mock import MockServer

from tests.client.conftest import (
    NUMBER,
    TOKEN,
    MakeService,
    buy,
    buy_async,
    failure,
)
from tests.conftest import PROJECT
from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.scripts import (
    BUY,
    HEALTHY,
    KEEP,
    RECEIPT,
    SID,
    STALL,
    coded,
    http,
    purchased,
    send,
    up_to,
)

INTERRUPTED = (
    f"phone_numbers.purchase(PhoneNumber='{NUMBER}') was interrupted after it was sent: "
    "it may have taken effect"
)
PACKED = http(201, coded(purchased(), gzip.compress), "Content-Encoding: gzip")
WITH_SID = f"{INTERRUPTED} (the reply has the sid {SID})"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > 20]


def buy_over_default(host: str) -> None:
    with RestClient(PROJECT, TOKEN, host, look_up_timeout=0) as client:
        buy(client)


def buy_over_given(host: str) -> None:
    with httpx.Client() as given:
        buy(RestClient(PROJECT, TOKEN, host, http_client=given, look_up_timeout=0))


def buy_over_async(host: str) -> None:
    async def buy_once() -> None:
        async with AsyncRestClient(PROJECT, TOKEN, host, look_up_timeout=0) as client:
            await buy_async(client)

    asyncio.run(buy_once())


def fail_in_json(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_: raise_(error))


def fail_in_model(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IncomingPhoneNumber, "from_dict", lambda *_: raise_(error))


def raise_(error: BaseException) -> None:
    raise error


BUYS = pytest.mark.parametrize("buy_once", [buy_over_default, buy_over_given, buy_over_async])
PLACES = pytest.mark.parametrize("fail_in", [fail_in_json, fail_in_model])


@BUYS
@PLACES
@pytest.mark.parametrize(
    "error", [MemoryError("no memory"), RecursionError("deep"), ArithmeticError()]
)
def test_a_reply_that_can_not_be_read_to_its_end_is_told_with_its_sid(
    buy_once: Callable[[str], None],
    fail_in: Callable[..., None],
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FaultServer() as server, monkeypatch.context() as here:
        server.play(HEALTHY)
        fail_in(error, here)
        with pytest.raises(APIResponseError, match=f"taken effect \\(sid {SID}\\)") as caught:
            buy_once(server.host)
    assert caught.value.__cause__ is error
    assert (caught.value.sid, caught.value.outcome_unknown) == (SID, True)
    assert caught.value.body["phone_number"] == NUMBER
    assert warnings(caplog) == [WITH_SID]
    assert server.executed == {NUMBER: 1}


@BUYS
@PLACES
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_while_a_reply_is_read_leaves_its_sid_in_the_log(
    buy_once: Callable[[str], None],
    fail_in: Callable[..., None],
    interrupt: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FaultServer() as server, monkeypatch.context() as here:
        server.play(HEALTHY)
        fail_in(interrupt(), here)
        with pytest.raises(interrupt):
            buy_once(server.host)
    assert warnings(caplog) == [WITH_SID]


@BUYS
def test_the_log_has_the_sid_of_a_reply_that_is_compressed(
    buy_once: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FaultServer() as server, monkeypatch.context() as here:
        server.play((*BUY, send(PACKED), KEEP))
        fail_in_model(KeyboardInterrupt(), here)
        with pytest.raises(KeyboardInterrupt):
            buy_once(server.host)
    assert warnings(caplog) == [WITH_SID]


@BUYS
def test_a_reply_that_memory_is_too_small_for_is_an_error_of_ours(
    buy_once: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as server, monkeypatch.context() as here:
        server.play((*BUY, send(PACKED), KEEP))
        here.setattr(zlib, "decompressobj", lambda *_: raise_(MemoryError()))
        with pytest.raises(APIResponseError, match="out of memory") as caught:
            buy_once(server.host)
    assert (caught.value.status, caught.value.outcome_unknown) == (201, True)


def test_a_client_can_buy_on_after_an_interrupt_while_a_reply_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        FaultServer() as server,
        RestClient(PROJECT, TOKEN, server.host, look_up_timeout=0) as client,
    ):
        server.play(HEALTHY)
        with monkeypatch.context() as here:
            fail_in_json(KeyboardInterrupt(), here)
            with pytest.raises(KeyboardInterrupt):
                buy(client, PhoneNumber="+13105550100")
        assert buy(client).phone_number == NUMBER
    assert server.executed == {NUMBER: 1, "+13105550100": 1}


def test_a_refusal_that_can_not_be_read_is_no_reason_for_a_warning(
    over_either: MakeService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = failure(over_either(httpx.Response(422, content=b"[" * 100_000)).client())
    assert (error.status, error.outcome_unknown) == (422, False)
    assert warnings(caplog) == []


def test_an_interrupted_call_is_logged_since_it_may_have_taken_effect(
    over_either: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyboardInterrupt):
        buy(over_either(KeyboardInterrupt()).client())
    assert caplog.messages == [INTERRUPTED]


def test_a_call_that_is_interrupted_before_it_was_sent_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: raise_(KeyboardInterrupt()))
    for buy_once in (buy_over_default, buy_over_given):
        with pytest.raises(KeyboardInterrupt):
            buy_once("127.0.0.1:9")
    assert caplog.messages == []


def test_a_cancelled_call_is_logged_since_it_may_have_taken_effect(
    mock: MockServer, async_client: AsyncRestClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def cancelled() -> None:
        async with async_client as client:
            call = asyncio.ensure_future(buy_async(client))
            while not mock.journal:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    mock.inject(delay_seconds=60)
    asyncio.run(cancelled())
    assert warnings(caplog) == [INTERRUPTED]


@pytest.mark.parametrize("is_given", [False, True])
def test_a_call_that_is_cancelled_in_its_reply_leaves_the_sid_in_the_log(
    is_given: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def cancelled(host: str) -> None:
        async with httpx.AsyncClient() as given:
            http_client = given if is_given else None
            async with AsyncRestClient(
                PROJECT, TOKEN, host, http_client=http_client, look_up_timeout=0
            ) as client:
                call = asyncio.ensure_future(buy_async(client))
                assert await asyncio.to_thread(server.wait_for, lambda: server.goodbyes == 1)
                await asyncio.sleep(0.1)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call

    with FaultServer() as server:
        sent: Callable[[Peer], None] = lambda peer: peer.server.count("goodbyes")  # noqa: E731
        server.play((*BUY, send(up_to(RECEIPT, '"uri"')), sent, STALL))
        asyncio.run(cancelled(server.host))
    assert warnings(caplog) == [WITH_SID]


@pytest.fixture
def ring() -> Iterator[Callable[..., None]]:
    """Make an alarm that raises `TimeoutError`, as programs do to bound what a library takes."""

    def raise_timeout(*_: Any) -> None:
        raise TimeoutError("the alarm")

    before = signal.signal(signal.SIGALRM, raise_timeout)
    yield lambda *_: os.kill(os.getpid(), signal.SIGALRM)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="there are no alarms")
@pytest.mark.parametrize("stage", ["looking up the name", "in the handshake"])
@pytest.mark.parametrize("buy_once", [buy_over_default, buy_over_given])
def test_an_alarm_that_raises_while_connecting_ends_the_call(
    buy_once: Callable[[str], None],
    stage: str,
    ring: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> None:
        looked_up.append(host)
        ring()
        server.stopping.wait(5)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    by_name = stage == "looking up the name"
    if by_name:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with FaultServer() as server, trusted_by_environment():
        server.play((Peer.wait_for_bytes, ring, STALL))
        with pytest.raises(APITimeoutError) as caught:
            buy_once("http://server.localhost" if by_name else f"https://{server.host}")
    assert not caught.value.outcome_unknown
    assert (server.connections, len(looked_up)) == ((0, 1) if by_name else (1, 0))
