"""No error, log, repr, pickle or traceback shows the token.

Of connections that fail and replies that stall, the table of faults checks the same.
"""

import asyncio
import copy
import html
import json
import logging
import pickle
import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from signalwire_compat import AsyncRestClient, InvalidRequestError, RestClient
from signalwire_compat_mock import DEFAULT_TOKEN

from tests.client.conftest import TOKEN, Service, answering, buy, buy_async, failure
from tests.conftest import PROJECT, page_reply
from tests.transport.fault_server import FaultServer
from tests.transport.faults.scripts import BUY, STALL

PAIR = b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()
KINDS = pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])


def shown_by(error: BaseException) -> str:
    """Give what an error shows, with the locals of all frames that are not of this file."""
    texts = [f"{error} {error!r} {vars(error)}"]
    frames: traceback.TracebackException | None
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    while frames:
        texts += [str(frame.locals) for frame in frames.stack if frame.filename != __file__]
        frames = frames.__cause__ or frames.__context__
    assert len(texts) > 1
    return "".join(texts)


def echo(request: httpx.Request) -> httpx.Response:
    """Repeat the credentials wherever a reply can."""
    text = f"{request.headers['authorization']} {TOKEN}"
    return httpx.Response(
        422, headers={"X-Echo": text, "X-Request-Id": text}, json={"message": text, "code": text}
    )


def fail(request: httpx.Request) -> httpx.Response:
    held = dict(request.headers)
    raise httpx.ReadError(f"broke at {held['authorization']} {TOKEN}")


@pytest.mark.parametrize("answer", [echo, fail])
def test_no_error_shows_credentials_that_a_server_or_transport_repeats(
    answer: Callable[[httpx.Request], httpx.Response], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Service().client(http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    error = failure(client)
    error.__cause__ = None  # The caller's own transport made it.
    for secret in (TOKEN, PAIR):
        assert secret not in shown_by(error) + repr(pickle.dumps(error))
        assert secret not in repr(client) + repr(vars(client)) + caplog.text


ODD_TOKEN = 'PT-"very"/secret?>>~+<é>'
ODD_PAIR = b64encode(f"{PROJECT}:{ODD_TOKEN}".encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(ODD_TOKEN),
        json.dumps(ODD_TOKEN).replace("/", r"\/"),
        json.dumps(ODD_TOKEN, ensure_ascii=False),
        quote(ODD_TOKEN, safe=""),
        html.escape(ODD_TOKEN),
        "".join(f"\\u{ord(character):04x}" for character in ODD_TOKEN),
        b64encode(ODD_TOKEN.encode()).decode(),
        ODD_PAIR,
        ODD_PAIR.replace("/", r"\/"),
        quote(ODD_PAIR, safe=""),
    ],
)
@pytest.mark.parametrize("status", [201, 401])
def test_no_error_shows_the_token_as_a_server_may_write_it(
    written: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    written = written.strip('"')
    text = f'{{"message": "{written}"}}'
    service = Service(httpx.Response(status, headers={"x-id": quote(written)}, text=text))
    error = failure(service.client(ODD_TOKEN))
    shown = f"{error} {error!r} {vars(error)} {error.content!r} {error.body} {caplog.text}"
    for secret in (ODD_TOKEN, written, written.replace(r"\/", "/"), ODD_PAIR):
        assert secret not in shown
        assert repr(secret.encode())[2:-1] not in shown


def test_no_log_line_shows_a_token_that_comes_back_as_a_request_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert failure(answering(422, b"", {"X-Request-Id": TOKEN})).request_id == "[secret]"
    assert "request id [secret]" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("token", "encoding", "beta"),
    [(TOKEN, "utf-8", PAIR), (TOKEN, "latin-1", PAIR), ('"beta": "', "utf-8", "looks like JSON")],
)
def test_no_warning_about_a_reply_shows_the_credentials_in_it(
    token: str, encoding: str, beta: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps(page_reply(friendly_name="Büro", beta=beta), ensure_ascii=False)
    assert token in body or beta == PAIR
    buy(Service(httpx.Response(201, content=body.encode(encoding))).client(token))
    assert "/beta: expected true or false" in caplog.text
    assert PAIR not in caplog.text
    assert token not in caplog.text


def test_no_traceback_of_a_call_cancelled_at_any_step_shows_the_credentials() -> None:
    async def cancelled(host: str, steps: int) -> str:
        async with AsyncRestClient(PROJECT, TOKEN, host) as client:
            call = asyncio.create_task(buy_async(client))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await call
        return shown_by(caught.value)

    with FaultServer() as server:
        server.play((*BUY, STALL))
        for steps in range(1, 30):
            shown = asyncio.run(cancelled(server.host, steps))
            assert TOKEN not in shown
            assert PAIR not in shown


@KINDS
@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"host": "a b"}, "host can't be"),
        ({"timeout": 0}, "timeout must be"),
        ({"headers": {"x": "\n"}}, "the header x can't be sent"),
        ({"token": TOKEN.encode()}, "token must be text, got bytes"),
        ({"token": [TOKEN]}, "token must be text, got list"),
        ({"project": TOKEN}, "project is not a Project ID"),
        ({"project": None}, "project is not a Project ID"),
    ],
)
@pytest.mark.parametrize("given", [{"token": TOKEN}, {}], ids=["argument", "environment"])
def test_no_traceback_of_a_refused_setting_shows_the_token(
    kind: Any,
    given: dict[str, Any],
    settings: dict[str, Any],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("SIGNALWIRE_API_TOKEN", "SIGNALWIRE_PROJECT_ID"):
        monkeypatch.setenv(variable, TOKEN)
    with pytest.raises(InvalidRequestError, match=problem) as caught:
        kind(**{"project": PROJECT, "host": "localhost", **given, **settings})
    assert TOKEN not in shown_by(caught.value)


@KINDS
def test_a_client_can_not_be_pickled_or_copied_with_its_token(kind: Any) -> None:
    client = kind(PROJECT, TOKEN, "localhost")
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a token"):
            act(client)


def test_no_repr_shows_the_token(client: RestClient) -> None:
    assert PROJECT in repr(client)
    for text in (repr(client), str(client), repr(client.compat), repr(client.with_timeout(1))):
        assert DEFAULT_TOKEN not in text
