"""What official SDKs send is taken, although no page of the provider documents it. And TLS."""

import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire_compat import RestClient
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT, VARIABLES
from tests.mock.helpers import ANOTHER, NUMBER, NUMBERS, Send, connection, read_all

OLDER = NUMBERS.removeprefix("/api/laml")
FORM: dict[str, Any] = {"data": {"PhoneNumber": NUMBER, "FriendlyName": "Main line"}}
TRUST = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
JSON: dict[str, Any] = {"json": FORM["data"]}


@pytest.mark.parametrize("base", [NUMBERS, OLDER])
@pytest.mark.parametrize("suffix", ["", ".json"])
@pytest.mark.parametrize("body", [FORM, JSON])
def test_a_number_is_bought_changed_listed_and_released_as_official_sdks_do(
    send: Send, base: str, suffix: str, body: dict[str, Any]
) -> None:
    bought = send(path=f"{base}{suffix}", **body).json()
    own = f"{base}/{bought['sid']}{suffix}"
    assert bought["uri"] == f"{NUMBERS}/{bought['sid']}.json"
    assert send("GET", own).json() == bought
    kind = next(iter(body))
    change: dict[str, Any] = {kind: {"FriendlyName": "Second line"}}
    renamed = send(path=own, **change).json()
    assert renamed["friendly_name"] == "Second line"
    assert send("GET", base + suffix).json()["incoming_phone_numbers"] == [renamed]
    send.mock.advance(days=14)
    headers = {"content-type": "application/json"} if body is JSON else {}
    assert send("DELETE", own, headers=headers).status_code == 204
    names = ["purchase", "get", "update", "list", "delete"]
    assert [exchange.operation_id for exchange in send.mock.journal] == names


def test_a_search_and_a_list_in_json_are_checked_like_a_form(send: Send) -> None:
    local = f"{OLDER.replace('Incoming', 'Available')}/US/Local.json?AreaCode=512&PageSize=5"
    assert send("GET", local).json()["available_phone_numbers"]
    imported = NUMBERS.replace("Incoming", "Imported")
    send.mock.allow_import = True
    sent = {"number": ANOTHER, "number_type": "longcode", "capabilities": ["sms"]}
    assert send(path=imported, json=sent).json()["capabilities"]["sms"] is True
    send.mock.allow_import = False
    for wrong, code in (({}, 21421), ({"PhoneNumber": 5}, 21401)):
        assert send(json=wrong).json()["code"] == code
    assert send(json={"PhoneNumber": NUMBER, "Colour": ""}).json()["code"] == 10000


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return tmp_path / "authority.pem"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_one_port_takes_tls_and_plain_http(authority: Path, host: str) -> None:
    with MockServer(host=host, tls=authority) as mock:
        space = mock.environment["SIGNALWIRE_SPACE"]
        trusting = httpx.Client(verify=ssl.create_default_context(cafile=str(authority)))
        with trusting, RestClient(PROJECT, DEFAULT_TOKEN, space) as client:
            sid = client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).sid
            official = Send(mock, trusting)
            reply = trusting.get(f"https://{space}{NUMBERS}", auth=(PROJECT, DEFAULT_TOKEN))
            assert [number["sid"] for number in reply.json()["incoming_phone_numbers"]] == [sid]
            assert official("GET").json() == reply.json()
            mock.inject(drop=True)
            with pytest.raises(httpx.RemoteProtocolError):
                trusting.get(f"https://{space}{NUMBERS}")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://{space}/journal")
        assert len(mock.journal) == 4


def test_a_client_that_asks_for_a_host_by_name_gets_a_certificate_for_it(
    authority: Path,
) -> None:
    with MockServer(host="0.0.0.0", tls=authority) as mock:  # noqa: S104
        trusting = ssl.create_default_context(cafile=str(authority))
        for name in ("mock", "space.signalwire.example", "localhost"):
            with trusting.wrap_socket(connection(mock), server_hostname=name) as secured:
                secured.sendall(f"GET /openapi.json HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
                assert read_all(secured).startswith(b"HTTP/1.1 200")


def test_a_closed_mock_with_tls_leaves_no_socket(authority: Path) -> None:
    mock = MockServer(tls=authority).start()
    silent, halfway = connection(mock), connection(mock)
    address = silent.getpeername()
    with silent, halfway:
        halfway.sendall(b"\x16\x03\x01")
        mock.close()
        assert read_all(silent) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    with mock:
        assert Path(mock.environment["SSL_CERT_FILE"]).read_text("utf-8")


def test_the_command_gives_its_authority_to_the_command_that_it_runs(authority: Path) -> None:
    code = (
        "import os, ssl, urllib.request as u\n"
        f"(authority,) = {{os.environ[name] for name in {TRUST}}}\n"
        f"url = 'https://' + os.environ[{VARIABLES[2]!r}] + '/journal'\n"
        "trusting = ssl.create_default_context(cafile=authority)\n"
        "print(u.urlopen(url, context=trusting).read().decode())\n"
    )
    module = [sys.executable, "-m", "signalwire_compat_mock"]
    command = [*module, "--tls", str(authority), "--", sys.executable, "-c", code]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_tls_without_its_package_says_what_to_install(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ImportError, match=r"signalwire-compat-mock\[tls\]"):
        MockServer(tls=authority)
