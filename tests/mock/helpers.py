"""What the tests of the mock server share: a sender, changed documents, addresses."""

import base64
import copy
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT, ROOT

SPEC = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
ADDED = yaml.safe_load(Path(__file__).with_name("operations.yaml").read_text("utf-8"))
OTHER = "11111111-2222-4333-8444-555555555555"
BASE = "/api/laml/2010-04-01"
NUMBERS = f"{BASE}/Accounts/{PROJECT}/IncomingPhoneNumbers"
NUMBER, ANOTHER = "+13103386745", "+15551234567"
FORM = {"content-type": "application/x-www-form-urlencoded"}
URLS = ("SmsFallbackUrl", "SmsUrl", "VoiceFallbackUrl", "VoiceUrl")
METHODS = ("SmsFallbackMethod", "SmsMethod", "VoiceFallbackMethod", "VoiceMethod")

Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Send:
    """Send requests to a mock; without other settings as its default project."""

    mock: MockServer
    http: httpx.Client

    def __call__(
        self, method: str = "POST", path: str = NUMBERS, **settings: Any
    ) -> httpx.Response:
        settings.setdefault("auth", (PROJECT, DEFAULT_TOKEN))
        return self.http.request(method, self.mock.url + path, **settings)

    def buy(self, number: str = NUMBER, account: str = PROJECT, **settings: Any) -> httpx.Response:
        path = NUMBERS.replace(PROJECT, account)
        return self(path=path, data={"PhoneNumber": number}, **settings)

    def bought(self, *args: str, **settings: Any) -> dict[str, Any]:
        """Buy a number and return its record."""
        reply = self.buy(*args, **settings)
        assert reply.status_code == 201, reply.text
        number: dict[str, Any] = reply.json()
        return number


Serve = Callable[..., Send]


def changed_spec(folder: Path, change: Change) -> Path:
    spec = copy.deepcopy(SPEC)
    change(spec)
    path = folder / "openapi.yaml"
    path.write_text(json.dumps(spec), "utf-8")
    return path


def refused(reply: httpx.Response, status: int, code: int) -> str:
    """Check the shape of a refusal and return its message."""
    error = reply.json()
    message = str(error["message"])
    more_info = "https://signalwire.com/docs/compatibility-api"
    shape = {"code": code, "message": message, "more_info": more_info, "status": status}
    assert (error, reply.status_code) == (shape, status)
    assert reply.headers["content-type"] == "application/json"
    assert DEFAULT_TOKEN not in message
    return message


def connection(mock: MockServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(mock.url.rpartition(":")[2])))


def read_all(raw: socket.socket) -> bytes:
    with raw.makefile("rb") as stream:
        return stream.read()


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def add_operations(spec: dict[str, Any]) -> None:
    """Add a list, a JSON body, files, a deletion and a text; the mock has code for none of them."""
    added = copy.deepcopy(ADDED)
    spec["components"]["schemas"] |= added["schemas"]
    spec["paths"] |= added["paths"]


def content(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {kind: {"schema": schema}}}
