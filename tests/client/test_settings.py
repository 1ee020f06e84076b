"""The settings of a client: where they come from, which are refused, and copies with others."""

import socket
import socketserver
import threading
from typing import Any

import pytest
from signalwire_compat import APIConnectionError, AsyncRestClient, InvalidRequestError, RestClient
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.client.conftest import NUMBER, buy, failure
from tests.conftest import PROJECT, VARIABLES

KINDS = pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
SETTINGS = {"project": PROJECT, "token": "token", "host": "localhost"}
PATH = "/api/laml/2010-04-01"


def sent_headers(mock: MockServer) -> dict[str, str]:
    headers = [(name.lower(), value) for name, value in mock.journal[-1].headers]
    assert len(dict(headers)) == len(headers)
    return dict(headers)


def refused(kind: Any = RestClient, **settings: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        kind(**{**SETTINGS, **settings})
    return caught.value


def test_settings_left_out_come_from_the_environment(
    mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in zip(VARIABLES, (PROJECT, DEFAULT_TOKEN, mock.url), strict=True):
        monkeypatch.setenv(variable, value)
    with RestClient() as client:
        assert buy(client).account_sid == PROJECT


@KINDS
@pytest.mark.parametrize(("argument", "variable"), [*zip(SETTINGS, VARIABLES, strict=True)])
def test_a_missing_setting_names_its_argument_and_its_variable(
    kind: Any, argument: str, variable: str
) -> None:
    message = str(refused(kind, **{argument: None}))
    assert message == f"{argument} is missing: pass {argument}= to the client, or set {variable}."


@KINDS
def test_all_settings_that_are_missing_or_wrong_are_named_at_once(kind: Any) -> None:
    missing = str(refused(kind, **dict.fromkeys(SETTINGS)))
    assert all(variable in missing for variable in VARIABLES)
    wrong = {"timeout": 0, "max_retries": -1, "max_reply_bytes": 0, "headers": {"te": ""}}
    error = refused(kind, project="a:b", host="a b", **wrong)
    names = ("project", "host", "timeout", "max_retries", "max_reply_bytes", "the header te")
    assert all(said.startswith(name) for said, name in zip(error.problems, names, strict=True))
    assert str(error) == " ".join(error.problems)


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("acme.signalwire.com", f"https://acme.signalwire.com{PATH}"),
        ("acme.signalwire.com/", f"https://acme.signalwire.com{PATH}"),
        ("https://acme.signalwire.com", f"https://acme.signalwire.com{PATH}"),
        ("https://proxy.example:8443/sw/", "https://proxy.example:8443/sw"),
        ("localhost:8000", f"http://localhost:8000{PATH}"),
        ("127.0.0.1", f"http://127.0.0.1{PATH}"),
        ("127.8.8.8:1", f"http://127.8.8.8:1{PATH}"),
        ("::1", f"http://[::1]{PATH}"),
        ("[::1]:8000", f"http://[::1]:8000{PATH}"),
        ("https://localhost", f"https://localhost{PATH}"),
        ("localhost.example.com", f"https://localhost.example.com{PATH}"),
        ("10.0.0.1", f"https://10.0.0.1{PATH}"),
    ],
)
def test_a_host_is_a_name_or_a_full_url(host: str, base_url: str) -> None:
    with RestClient(PROJECT, "token", host) as client:
        assert client.base_url == base_url


@pytest.mark.parametrize(
    "host",
    [
        *("https://", "ftp://acme.signalwire.com", "http:/acme.signalwire.com", "my space"),
        *("acme.signalwire.com:port", "acme.signalwire.com:99999", "acme..com", "[::1"),
        *("user:hunter2@acme.signalwire.com", "acme.signalwire.com?x=1", "acme.signalwire.com#x"),
        "acme.signalwire.com\r\nX: y",
    ],
)
@pytest.mark.parametrize("from_environment", [False, True])
def test_a_host_that_can_not_be_used_is_refused_and_shown_without_its_password(
    host: str, from_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALWIRE_SPACE", host)
    message = str(refused(host=None if from_environment else host))
    assert f"host can't be {host.rpartition('@')[2]!r}: " in message
    assert "hunter2" not in message


@pytest.mark.parametrize("host", ["http://acme.signalwire.com", "http://10.0.0.1:8000"])
def test_http_to_another_machine_must_be_allowed(host: str) -> None:
    assert "allow_http=True permits it" in str(refused(host=host))
    with RestClient(PROJECT, "token", host, allow_http=True) as client:
        assert client.base_url.startswith(host)


NOT_A_PROJECT = ("your-project-id", "a:b", f"{PROJECT}0", "PT1234567890abcdef")
NOT_A_COUNT = (-1, 1.5, True, "2", None)
NOT_A_TIME = (0, -1, float("nan"), float("inf"), 1e10, True, "5")
OWN_HEADERS = ("Content-Length", "Authorization", "Accept-Encoding")


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        *((name, f" {value}", f"{name} begins or ends with") for name, value in SETTINGS.items()),
        *((name, f"{value}\n", f"{name} begins or ends with") for name, value in SETTINGS.items()),
        ("project", "\ud800", "project holds half of a surrogate"),
        *(
            ("project", value, "project is not a Project ID. That is a UUID")
            for value in NOT_A_PROJECT
        ),
        ("token", "\ud800", "token holds half of a surrogate"),
        *(
            ("token", f"PT{odd}x", "token holds a line break or a character")
            for odd in "\n\r\x7f\u2026"
        ),
        *(("max_retries", value, "must be a whole number from 0, got") for value in NOT_A_COUNT),
        *(("max_reply_bytes", value, "must be a whole number from 1") for value in NOT_A_COUNT),
        *(("timeout", value, "timeout must be seconds above 0") for value in NOT_A_TIME),
        ("headers", {"X": "a\r\nX-Other: b"}, "only visible ASCII and inner spaces are allowed"),
        ("headers", {"X": "ü"}, "the header x can't be sent"),
        ("headers", {"X": " a"}, "the header x can't be sent"),
        ("headers", {"X Y": "a"}, "'x y' can't be the name of a header"),
        ("headers", {"X-A": None}, "x-a must be text, got None. Leave it out"),
        ("headers", {"X-A": b"a"}, "x-a must be text, got bytes. Leave it out"),
        ("headers", ["X"], "headers must map the names of headers to their values"),
        ("headers", {5: "x"}, "headers must map the names of headers to their values"),
        *(("headers", {name: "x"}, "is set by the client: leave it out") for name in OWN_HEADERS),
    ],
)
def test_a_setting_that_can_not_be_used_is_refused(
    client: RestClient, setting: str, value: Any, problem: str
) -> None:
    message = str(refused(**{setting: value}))
    assert problem in message
    assert message.startswith(setting) or setting == "headers"
    if change := getattr(client, f"with_{setting}", None):
        with pytest.raises(InvalidRequestError) as caught:
            change(value)
        assert problem in str(caught.value)


def test_a_token_with_any_character_is_sent_whole(mock: MockServer) -> None:
    with RestClient(PROJECT, f"{DEFAULT_TOKEN}:ü", mock.url) as client:
        assert failure(client).status == 401


def test_a_client_with_other_headers_leaves_the_original_alone(
    mock: MockServer, client: RestClient
) -> None:
    buy(client, PhoneNumber="+15550001")
    other = client.with_headers({"ACCEPT": "text/x", "X-Trace": "1"}).with_headers({"x-trace": "2"})
    buy(other, PhoneNumber="+15550002")
    assert (sent_headers(mock)["accept"], sent_headers(mock)["x-trace"]) == ("text/x", "2")
    buy(client, PhoneNumber="+15550003")
    assert "x-trace" not in sent_headers(mock)
    assert sent_headers(mock)["accept"] == "application/json"
    assert sent_headers(mock)["authorization"].startswith("Basic ")


def test_closing_a_client_with_another_timeout_leaves_the_original_open(
    mock: MockServer, client: RestClient
) -> None:
    other = client.with_timeout(1.5)
    assert (client.timeout, other.timeout) == (30.0, 1.5)
    other.close()
    assert buy(client).phone_number == NUMBER
    client.close()
    for closed in (client, other):
        assert "the client is closed" in str(failure(closed))
    assert len(mock.journal) == 1


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        assert buy(client).phone_number == NUMBER


def test_a_broken_proxy_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "garbage://x")
    assert "proxy or certificate settings" in str(refused(host="acme.signalwire.com"))


class RefusingProxy(socketserver.BaseRequestHandler):
    """Opens no tunnel, and keeps what it was asked."""

    asked: list[bytes]

    def handle(self) -> None:
        self.asked.append(self.request.recv(65536).split()[0])
        self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_that_opens_no_tunnel_has_bought_nothing(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    RefusingProxy.asked = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), RefusingProxy) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.server_address[1]}")
        with RestClient(PROJECT, "token", "acme.signalwire.com", max_retries=1) as client:
            error = failure(client)
        monkeypatch.setenv("NO_PROXY", "acme.signalwire.com")
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with RestClient(PROJECT, "token", "acme.signalwire.com", max_retries=0) as client:
            assert "host name was not found" in str(failure(client))
        proxy.shutdown()
    assert type(error) is APIConnectionError
    assert "no connection to" in str(error)
    assert not error.outcome_unknown
    assert error.arguments == {"AccountSid": PROJECT, "PhoneNumber": NUMBER}
    assert RefusingProxy.asked == [b"CONNECT"] * 2
