"""A session of aiohttp instead of httpx: as safe, and what its parser reads in another way."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from httpx_aiohttp import HttpxAiohttpClient
from signalwire_compat import (
    APIConnectionError,
    APITimeoutError,
    AsyncRestClient,
    InvalidRequestError,
    UnprocessableEntityError,
)
from signalwire_compat import _session as session
from signalwire_compat._request import Request
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT
from tests.transport.fault_server import FaultServer, Peer, Script
from tests.transport.faults.rows import BY_NAME
from tests.transport.faults.rows import as_parameters as rows
from tests.transport.faults.run import TOKEN, run
from tests.transport.faults.scripts import (
    BUY,
    CLOSE,
    HEAD,
    HEALTHY,
    KEEP,
    NUMBER_BODY,
    READ,
    RECEIPT,
    STALL,
    failure,
    http,
    plain,
    send,
)

NUMBER = "+13105550100"
# What the parser of aiohttp refuses and h11 takes, or the other way round.
READ_DIFFERENTLY = {
    *("switching-protocols", "status-000", "status-204-with-a-body"),
    *("chunk-size-garbage", "chunk-size-negative", "chunk-size-of-40-digits"),
    *("chunk-longer-than-its-size", "garbage-after-the-chunks", "transfer-encoding-unknown"),
    *("chunked-and-length", "chunked-twice", "length-too-short", "length-zero"),
    *("length-twice-the-same", "no-length-and-reset", "endless-trailers"),
}
REFUSED_AT_ONCE = "reply-and-garbage"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.play(HEALTHY)
        yield running


@asynccontextmanager
async def client(host: str, **settings: Any) -> AsyncIterator[AsyncRestClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncRestClient(PROJECT, TOKEN, host, http_client=session, **settings)


@pytest.mark.parametrize("name", rows({*BY_NAME} - READ_DIFFERENTLY - {REFUSED_AT_ONCE}))
def test_a_fault_ends_over_aiohttp_as_the_table_promises(name: str) -> None:
    assert run(BY_NAME[name], "aiohttp").problems == ()


@pytest.mark.parametrize("name", rows(READ_DIFFERENTLY))
def test_what_aiohttp_reads_differently_is_no_less_safe(name: str) -> None:
    problems = run(BY_NAME[name], "aiohttp").problems
    for problem in problems:
        assert not re.search("executed|unknown|secret|open|next purchase|cookie", problem), problem


def test_garbage_behind_a_reply_may_have_bought_the_number(server: FaultServer) -> None:
    server.play(*BY_NAME[REFUSED_AT_ONCE].scripts)

    async def buy() -> None:
        async with client(server.host) as rest:
            with pytest.raises(APIConnectionError) as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            assert caught.value.outcome_unknown

    asyncio.run(buy())
    assert server.purchases == 1


def test_a_reply_that_came_before_its_request_is_nobodys(server: FaultServer) -> None:
    """A second reply is on the idle connection before the next request is written."""
    twice = (*BUY, send(RECEIPT), lambda peer: peer.pause(0.1), send(RECEIPT))
    server.play((*twice, KEEP), HEALTHY)

    async def buy() -> list[str]:
        async with client(server.host, max_retries=0) as rest:
            first = await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            await asyncio.sleep(0.3)
            second = await rest.compat.phone_numbers.purchase(PhoneNumber="+13105550101")
            return [first.phone_number, second.phone_number]

    assert asyncio.run(buy()) == [NUMBER, "+13105550101"]
    assert server.executed == {NUMBER: 1, "+13105550101": 1}
    assert server.connections == 2


def test_the_timeout_of_a_call_holds_for_a_session_too(server: FaultServer) -> None:
    server.play((*BUY, STALL))

    async def buy() -> APITimeoutError:
        async with client(server.host, timeout=0.3) as rest:
            with pytest.raises(APITimeoutError, match=r"timeout=0\.3 seconds") as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            return caught.value

    assert asyncio.run(buy()).outcome_unknown


def test_the_settings_of_a_session_are_honoured(server: FaultServer) -> None:
    server.play((READ, send(failure(422, None)), KEEP), HEALTHY)

    async def buy() -> bool:
        settings: Any = {"headers": {"X-Mine": "yes"}, "raise_for_status": True}
        async with aiohttp.ClientSession(**settings) as session:
            rest = AsyncRestClient(PROJECT, TOKEN, server.host, http_client=session)
            async with rest:
                with pytest.raises(UnprocessableEntityError):
                    await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
                await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            return session.closed

    assert asyncio.run(buy()) is False
    assert all(b"\r\nX-Mine: yes\r\n" in head for head in server.heads)


def test_a_closed_session_is_refused_before_sending(server: FaultServer) -> None:
    async def buy() -> None:
        async with client(server.host) as rest:
            pass
        with pytest.raises(InvalidRequestError, match="the client is closed"):
            await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    asyncio.run(buy())
    assert server.connections == 0


def test_a_session_that_hides_what_it_sends_is_not_trusted_to_have_sent_nothing(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later aiohttp could write a body without telling it: better unknown than bought twice."""

    async def write(self: Any, writer: Any, content_length: int | None) -> None:
        await aiohttp.BytesPayload.write_with_length(self, writer, content_length)

    monkeypatch.setattr(session._payload(), "write_with_length", write)
    server.play(HEALTHY, (*BUY, CLOSE), HEALTHY)

    async def buy() -> APIConnectionError:
        async with client(server.host) as rest:
            await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            with pytest.raises(APIConnectionError) as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber="+13105550101")
            return caught.value

    assert asyncio.run(buy()).outcome_unknown
    assert server.executed == {NUMBER: 1, "+13105550101": 1}


def test_a_version_of_aiohttp_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def make() -> None:
        async with client("localhost"):
            pass

    for version in ("3.11.18", "4.0.0a1"):
        monkeypatch.setattr(aiohttp, "__version__", version)
        with pytest.raises(InvalidRequestError, match=f"is needed, and this is {version}"):
            asyncio.run(make())


def test_files_and_text_are_sent_over_a_session_as_over_httpx(mock: MockServer) -> None:
    async def send_both() -> None:
        async with aiohttp.ClientSession() as session:
            for own in (session, None):
                rest = AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=own)
                async with rest:
                    await rest._asend(request(files=[("f", ("n", b"content", "text/plain"))]))
                    await rest._asend(request(content="text", content_type="text/plain"))
                    await rest._asend(request())

    asyncio.run(send_both())
    (files, text, nothing), (files_of_httpx, text_of_httpx, _) = mock.journal[:3], mock.journal[3:]
    assert files.body.count(b"content") == files_of_httpx.body.count(b"content") == 1
    assert dict(files.headers)["content-type"].startswith("multipart/form-data; boundary=")
    assert text.body == text_of_httpx.body == b"text"
    assert nothing.body == b""


def request(**what: Any) -> Request:
    return Request(operation="tests.call", method="POST", route="/x", path="/x", **what)


def test_a_lost_reply_over_httpx_aiohttp_is_not_taken_for_a_failed_connection(
    server: FaultServer,
) -> None:
    """That transport calls every lost connection a connect time-out, which would be sent again."""
    server.play((*BUY, CLOSE), HEALTHY)

    async def buy() -> APIConnectionError:
        async with HttpxAiohttpClient() as httpx_client:
            rest = AsyncRestClient(PROJECT, TOKEN, server.host, http_client=httpx_client)
            with pytest.raises(APIConnectionError) as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            return caught.value

    error = asyncio.run(buy())
    assert error.outcome_unknown
    assert not isinstance(error, APITimeoutError)
    assert (server.requests, server.executed[NUMBER]) == (1, 1)


def test_a_refused_connection_over_httpx_aiohttp_is_tried_again() -> None:
    async def buy(host: str) -> APIConnectionError:
        async with HttpxAiohttpClient() as httpx_client:
            rest = AsyncRestClient(PROJECT, TOKEN, host, http_client=httpx_client, max_retries=1)
            with pytest.raises(APIConnectionError, match="2 attempts") as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            return caught.value

    with FaultServer(listening=False) as closed:
        assert not asyncio.run(buy(closed.host)).outcome_unknown


@pytest.mark.parametrize("more", [(send(RECEIPT), KEEP), (CLOSE,)], ids=["reply", "goodbye"])
def test_what_came_while_the_loop_was_busy_is_seen_before_a_request_is_sent(
    server: FaultServer, more: Script
) -> None:
    busy = threading.Event()

    def wait_until_busy(_: Peer) -> None:
        busy.wait(10)

    server.play((*BUY, send(RECEIPT), wait_until_busy, *more), HEALTHY)

    async def buy() -> list[str]:
        async with client(server.host, max_retries=0) as rest:
            first = await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            busy.set()
            time.sleep(0.1)  # The loop reads nothing meanwhile.
            second = await rest.compat.phone_numbers.purchase(PhoneNumber="+13105550101")
            return [first.phone_number, second.phone_number]

    assert asyncio.run(buy()) == [NUMBER, "+13105550101"]
    assert server.executed == {NUMBER: 1, "+13105550101": 1}
    assert server.connections == 2


def test_a_server_that_answers_before_it_is_asked_is_not_asked_again_and_again(
    server: FaultServer,
) -> None:
    last = send(http(201, NUMBER_BODY, "Connection: close"))
    server.play((*BUY, last, CLOSE), (send(failure(503, None)), CLOSE))

    async def let_the_answer_come(*_: Any) -> None:
        await asyncio.sleep(0.1)

    async def buy() -> APIConnectionError:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(let_the_answer_come)
        async with aiohttp.ClientSession(trace_configs=[trace]) as session:
            settings: Any = {"http_client": session, "max_retries": 1}
            rest = AsyncRestClient(PROJECT, TOKEN, server.host, **settings)
            await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            with pytest.raises(APIConnectionError, match="2 attempts") as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber="+13105550101")
            return caught.value

    assert not asyncio.run(buy()).outcome_unknown
    assert server.connections <= 5
    assert server.requests == 1


def test_a_proxy_that_opens_no_tunnel_for_a_session_has_bought_nothing(server: FaultServer) -> None:
    server.play((HEAD, send(plain("HTTP/1.1 407 Who are you\r\n\r\n")), CLOSE))

    async def buy() -> APIConnectionError:
        async with aiohttp.ClientSession(proxy=server.url) as session:
            settings: Any = {"http_client": session, "max_retries": 1}
            rest = AsyncRestClient(PROJECT, TOKEN, "https://elsewhere.invalid", **settings)
            with pytest.raises(APIConnectionError, match=r"407 Who are you.*2 attempts") as caught:
                await rest.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            return caught.value

    assert not asyncio.run(buy()).outcome_unknown
    assert server.requests == 2
