"""Libraries that hook into httpx see every call of a client, whoever made its connections."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx
import sentry_sdk
import vcr  # type: ignore[import-untyped]  # it has no types
from httpx_aiohttp import AiohttpTransport
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.transport import Transport
from signalwire_compat import APIConnectionError, AsyncRestClient, RestClient

from tests.conftest import page_reply
from tests.transport.fault_server import FaultServer
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.scripts import BUY, CLOSE, HEALTHY, RESET, STALL

ONE, OTHER = "+13105550100", "+13105550101"
Buy = Callable[[str], str]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.play(HEALTHY)
        yield running


def buy_over(server: FaultServer, http_client: httpx.Client | None) -> Iterator[Buy]:
    with RestClient(PROJECT, TOKEN, server.url, http_client=http_client) as client:
        purchase = client.compat.phone_numbers.purchase
        yield lambda number: purchase(PhoneNumber=number).phone_number or ""


def buy_over_async(server: FaultServer, http_client: httpx.AsyncClient | None) -> Iterator[Buy]:
    settings: dict[str, Any] = {"timeout": 1, "look_up_timeout": 0, "http_client": http_client}
    client = AsyncRestClient(PROJECT, TOKEN, server.url, **settings)

    async def purchase(number: str) -> str:
        bought = await client.compat.phone_numbers.purchase(PhoneNumber=number)
        return bought.phone_number or ""

    with asyncio.Runner() as runner:
        # Tracing keeps what it traces in the context.
        yield lambda number: runner.run(purchase(number), context=copy_context())
        runner.run(client.aclose())
        if http_client:
            runner.run(http_client.aclose())


@pytest.fixture(params=["default", "caller"])
def is_default(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "default")


@pytest.fixture(params=["sync", "async"])
def buy(request: pytest.FixtureRequest, server: FaultServer, is_default: bool) -> Iterator[Buy]:
    if request.param == "async":
        yield from buy_over_async(server, None if is_default else httpx.AsyncClient())
    else:
        with httpx.Client() as http_client:
            yield from buy_over(server, None if is_default else http_client)


def answer(request: httpx.Request) -> httpx.Response:
    (number,) = parse_qs(request.content.decode())["PhoneNumber"]
    return httpx.Response(201, json=page_reply(phone_number=number))


@contextlib.contextmanager
def mocked(
    library: str, request: pytest.FixtureRequest, folder: Path, *numbers: str
) -> Iterator[None]:
    """Let a mock answer purchases of these numbers."""
    if library == "pytest-httpx":
        httpx_mock: HTTPXMock = request.getfixturevalue("httpx_mock")
        for _ in numbers:
            httpx_mock.add_callback(answer)
        yield
    elif library == "respx":
        with respx.mock as router:
            if numbers:
                router.post(path__regex="/IncomingPhoneNumbers$").mock(side_effect=answer)
            yield
    else:
        uri = f"http://recorded/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
        played = [
            {
                "request": {"method": "POST", "uri": uri, "body": "", "headers": {}},
                "response": {
                    "status": {"code": 201, "message": "Created"},
                    "headers": {"content-type": ["application/json"]},
                    "body": {"string": json.dumps(page_reply(phone_number=number))},
                },
            }
            for number in numbers
        ]
        path = folder / "purchases.json"
        path.write_text(json.dumps({"version": 1, "interactions": played}), "utf-8")
        settings = {"match_on": ["method", "path"], "serializer": "json", "record_mode": "none"}
        with vcr.use_cassette(str(path), **settings):
            yield


@pytest.mark.parametrize("library", ["pytest-httpx", "respx", "vcrpy"])
def test_a_mock_keeps_every_purchase_from_the_network(
    request: pytest.FixtureRequest, server: FaultServer, buy: Buy, tmp_path: Path, library: str
) -> None:
    with mocked(library, request, tmp_path, ONE, OTHER):
        assert [buy(ONE), buy(OTHER)] == [ONE, OTHER]
    assert server.connections == 0


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
@pytest.mark.parametrize("library", ["pytest-httpx", "respx", "vcrpy"])
def test_a_purchase_that_a_mock_does_not_expect_fails_before_the_network(
    request: pytest.FixtureRequest, server: FaultServer, buy: Buy, tmp_path: Path, library: str
) -> None:
    with mocked(library, request, tmp_path), pytest.raises(APIConnectionError):
        buy(ONE)
    assert server.connections == 0


def test_a_purchase_that_vcrpy_recorded_is_played_back(
    server: FaultServer, buy: Buy, tmp_path: Path
) -> None:
    for mode in ("once", "none"):
        with vcr.use_cassette(str(tmp_path / "recorded.yaml"), record_mode=mode):
            assert buy(ONE) == ONE
    assert server.executed == {ONE: 1}


def test_opentelemetry_gives_each_purchase_a_span_and_tells_the_server(
    server: FaultServer, buy: Buy
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        buy(ONE)
    finally:
        HTTPXClientInstrumentor().uninstrument()
    (span,) = exporter.get_finished_spans()
    assert f"\r\ntraceparent: 00-{span.context.trace_id:032x}-".encode() in server.heads[0]
    buy(OTHER)
    assert b"traceparent" not in server.heads[1]


class Nowhere(Transport):
    """Keeps what Sentry collects."""

    def capture_envelope(self, envelope: Any) -> None:
        """Send nothing."""


def test_sentry_tells_the_server_of_the_trace(server: FaultServer, buy: Buy) -> None:
    options: Any = {"default_integrations": False, "auto_enabling_integrations": False}
    sentry = sentry_sdk.Client(
        dsn="http://key@localhost/1",
        transport=Nowhere,
        traces_sample_rate=1.0,
        integrations=[HttpxIntegration()],
        **options,
    )
    # Of this test alone: what sentry_sdk hooks into httpx does nothing without a client.
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(sentry)
        with sentry_sdk.start_transaction(name="checkout") as transaction:
            buy(ONE)
    sentry.close()
    assert f"\r\nsentry-trace: {transaction.trace_id}-".encode() in server.heads[0]
    buy(OTHER)
    assert b"sentry-trace" not in server.heads[1]


def over_aiohttp() -> httpx.AsyncClient:
    # As in the guide: aiohttp keeps a connection although `Connection: close` is asked for.
    return httpx.AsyncClient(transport=AiohttpTransport(limits=httpx.Limits(keepalive_expiry=0)))


@pytest.fixture
def buy_over_aiohttp(server: FaultServer) -> Iterator[Buy]:
    yield from buy_over_async(server, over_aiohttp())


def test_over_httpx_aiohttp_each_purchase_is_made_once(
    server: FaultServer, buy_over_aiohttp: Buy
) -> None:
    assert [buy_over_aiohttp(ONE), buy_over_aiohttp(OTHER)] == [ONE, OTHER]
    assert server.executed == {ONE: 1, OTHER: 1}
    assert server.connections == 2


@pytest.mark.parametrize("step", [CLOSE, RESET, STALL])
def test_a_reply_that_is_lost_over_httpx_aiohttp_leaves_the_outcome_unknown(
    server: FaultServer, buy_over_aiohttp: Buy, step: Any
) -> None:
    server.play((*BUY, step))
    with pytest.raises(APIConnectionError) as caught:
        buy_over_aiohttp(ONE)
    assert caught.value.outcome_unknown
    assert server.executed == {ONE: 1}


def test_a_refused_connection_over_httpx_aiohttp_has_bought_nothing() -> None:
    with FaultServer(listening=False) as server:
        buying = contextlib.contextmanager(buy_over_async)(server, over_aiohttp())
        with buying as buy, pytest.raises(APIConnectionError) as caught:
            buy(ONE)
    assert not caught.value.outcome_unknown
