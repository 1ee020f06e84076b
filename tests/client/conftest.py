"""A service that answers as a test says, and a package with an operation for each HTTP method."""

import copy
import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

import httpx
import pytest
from signalwire_compat import AsyncRestClient, RestClient, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from contract_diff.recording import load_package
from tests.conftest import PROJECT
from tests.edits.generated_package import generated
from tests.edits.helpers import adds, object_of, reply, text
from tests.transport.faults.callers import NO_LOOK_UP

# The number that the reply of the page is about.
NUMBER = "+13103386745"
TOKEN = "PT-hunter2-very-secret-token"
METHODS = ("GET", "HEAD", "PUT", "DELETE", "POST", "PATCH")
Answer = httpx.Response | BaseException


class Service:
    """Gives one answer after the other, the last one for ever, over a caller's client of httpx."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)
        self.http_client = httpx.Client(transport=self.transport)
        self.is_intercepting = False

    def intercept(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Answer what the default clients send, as libraries that mock httpx do."""
        respond, arespond = self.transport.handle_request, self.transport.handle_async_request
        here, there = httpx.HTTPTransport, httpx.AsyncHTTPTransport
        monkeypatch.setattr(here, "handle_request", lambda _, request: respond(request))
        monkeypatch.setattr(there, "handle_async_request", lambda _, request: arespond(request))
        self.is_intercepting = True
        return self

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, token: str = TOKEN, **settings: Any) -> RestClient:
        return RestClient(PROJECT, token, "localhost", **self._settings(settings))

    def async_client(self) -> AsyncRestClient:
        given = None if self.is_intercepting else httpx.AsyncClient(transport=self.transport)
        settings: dict[str, Any] = {"http_client": given, **NO_LOOK_UP}
        return AsyncRestClient(PROJECT, TOKEN, "localhost", **settings)

    def call(self, package: ModuleType, method: str, **settings: Any) -> Any:
        """Call the operation of the package `verbs` with this method; give its result or error."""
        client = package.RestClient(PROJECT, TOKEN, "localhost", **self._settings(settings))
        try:
            return getattr(client.compat.things, method.lower())()
        except package.SignalWireError as error:
            return error

    def _settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        given = None if self.is_intercepting else self.http_client
        return {"http_client": given, **NO_LOOK_UP, **settings}


MakeService = Callable[..., Service]


@pytest.fixture
def over_default(monkeypatch: pytest.MonkeyPatch) -> MakeService:
    """Make a service that answers a client without `http_client`."""
    return lambda *answers: Service(*answers).intercept(monkeypatch)


@pytest.fixture(params=["default", "given"])
def over_either(request: pytest.FixtureRequest, over_default: MakeService) -> MakeService:
    """Make a service that answers a client without `http_client`, and one with it."""
    return over_default if request.param == "default" else Service


def answering(
    status: int, body: Any, headers: dict[str, str] | None = None, **settings: Any
) -> RestClient:
    """Make a client whose every request is answered with this."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    service = Service(httpx.Response(status, headers=headers, content=content))
    return service.client(**{"max_retries": 0, **settings})


def buy(client: RestClient, **fields: Any) -> IncomingPhoneNumber:
    return client.compat.phone_numbers.purchase(**{"PhoneNumber": NUMBER, **fields})


async def buy_async(client: AsyncRestClient, **fields: Any) -> IncomingPhoneNumber:
    return await client.compat.phone_numbers.purchase(**{"PhoneNumber": NUMBER, **fields})


def failure(client: RestClient, **fields: Any) -> SignalWireError:
    """Give the error of a purchase that fails."""
    with pytest.raises(SignalWireError) as caught:
        buy(client, **fields)
    return caught.value


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the clock jump where a call would sleep, and collect the seconds of each sleep."""
    seconds: list[float] = []
    monotonic = time.monotonic
    monkeypatch.setattr(time, "sleep", seconds.append)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(seconds))
    return seconds


@pytest.fixture(scope="session")
def verbs(
    contract: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, shared: Any
) -> ModuleType:
    """Generate a package with an operation for each method, such as `compat.things.get()`."""
    document = copy.deepcopy(contract)
    document["paths"] = {}
    thing = object_of(at=text(format="date-time"), day=text(format="date"))
    for method in METHODS:
        done = reply() if method == "HEAD" else reply(thing, {"at": "2026-01-31T12:00:00Z"})
        adds(method=method.lower(), operationId=method.lower(), responses={"200": done})(document)
    return load_package(generated(document, tmp_path_factory.mktemp("verbs"), shared))
