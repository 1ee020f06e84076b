"""Proxies that the environment names: none of them makes a client buy twice, or wait too long."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from signalwire_compat import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncRestClient,
    InvalidRequestError,
    RestClient,
    SignalWireError,
)

from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.scripts import (
    BUY,
    CLOSE,
    HEALTHY,
    KEEP,
    RESET,
    STALL,
    failure,
    plain,
    send,
    tls,
)

NUMBER = "+13145550100"
# No proxy is used for this machine. Nobody has this name: the proxy is asked for it.
HOST = "elsewhere.invalid"
PASSWORD = "proxy-password-1"
KINDS = ("sync", "async", "httpx", "httpx async")
OPEN_TUNNEL = (Peer.read_head, send(plain("HTTP/1.1 200 Connected\r\n\r\n")), tls("other-name"))
HEALTHY_TUNNEL = (*OPEN_TUNNEL, *HEALTHY)
SOCKS_GREETING = (Peer.skip_bytes, send(plain(b"\x05\x00")))
SOCKS_CONNECTED = (Peer.skip_bytes, send(plain(b"\x05\x00\x00\x01" + b"\x00" * 6)))
SOCKS_REFUSED = (Peer.skip_bytes, send(plain(b"\x05\x05\x00\x01" + b"\x00" * 6)))
STALLED_SECONDS = 0.5


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with FaultServer() as running, trusted_by_environment():
        yield running


def use(monkeypatch: pytest.MonkeyPatch, proxy: FaultServer, scheme: str = "http") -> None:
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://somebody:{PASSWORD}@{proxy.host}")


def buy(kind: str, host: str = f"https://{HOST}", **settings: Any) -> Any:
    """Buy a number over a client of this kind; give it or the error."""
    settings = {"max_retries": 0, "allow_http": True, **settings}

    async def abuy() -> str:
        if kind == "async":
            async with AsyncRestClient(
                PROJECT, TOKEN, host, **settings, look_up_timeout=0
            ) as client:
                return (await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)).phone_number
        async with httpx.AsyncClient() as own:
            client = AsyncRestClient(
                PROJECT, TOKEN, host, http_client=own, **settings, look_up_timeout=0
            )
            return (await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)).phone_number

    try:
        if "async" in kind:
            return asyncio.run(abuy())
        if kind == "sync":
            with RestClient(PROJECT, TOKEN, host, **settings, look_up_timeout=0) as client:
                return client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).phone_number
        with httpx.Client() as own:
            client = RestClient(
                PROJECT, TOKEN, host, http_client=own, **settings, look_up_timeout=0
            )
            return client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).phone_number
    except SignalWireError as error:
        return error
    finally:
        gc.collect()


def answers(text: bytes, *last: Any) -> Any:
    return (Peer.read_head, send(plain(text)), *last)


def refuses(reply: str, *headers: str) -> Any:
    lines = "\r\n".join([f"HTTP/1.1 {reply}", *headers, "Content-Length: 0", "", ""])
    return answers(lines.encode(), KEEP)


NO_TUNNEL = {
    "407": refuses("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"'),
    "429": refuses("429 Too Many Requests", "Retry-After: 0"),
    "503": refuses("503 Service Unavailable", "Retry-After: 0"),
    "302": refuses("302 Found", "Location: http://127.0.0.1:9/login"),
    "garbage": answers(b"\x00\x01 this is not HTTP\r\n\r\n", CLOSE),
    "a close": (Peer.read_head, CLOSE),
    "a reset": (Peer.read_head, RESET),
    "a reset at once": (RESET,),
    "a tunnel to a stranger": (*OPEN_TUNNEL[:2], tls("stranger"), *HEALTHY),
    "a tunnel that is closed": (*OPEN_TUNNEL[:2], Peer.wait_for_bytes, CLOSE),
}
NO_TUNNEL_OVER_SOCKS = {
    "a refusal": (*SOCKS_GREETING, *SOCKS_REFUSED, CLOSE),
    "no method": (Peer.skip_bytes, send(plain(b"\x05\xff")), CLOSE),
    "garbage": (Peer.skip_bytes, send(plain("HTTP/1.1 400 Bad Request\r\n\r\n")), CLOSE),
    "half an answer": (Peer.skip_bytes, send(plain(b"\x05")), CLOSE),
    "a close": (Peer.skip_bytes, CLOSE),
    "a reset": (Peer.skip_bytes, RESET),
}


def some_are_slow(answers: dict[str, Any]) -> list[Any]:
    """Give the names of answers; `make test` plays the first one and garbage."""
    quick = (next(iter(answers)), "garbage")
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in answers]


def check_nothing_was_bought(error: Any, proxy: FaultServer) -> None:
    assert isinstance(error, APIConnectionError), error
    assert not error.outcome_unknown, error
    assert PASSWORD not in f"{error} {error!r} {vars(error)}"
    assert proxy.purchases == 0
    assert not any(b"\r\nauthorization:" in head.lower() for head in proxy.heads)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", some_are_slow(NO_TUNNEL))
def test_nothing_is_bought_over_a_proxy_that_opens_no_tunnel(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, answer: str, kind: str
) -> None:
    proxy.play(NO_TUNNEL[answer])
    use(monkeypatch, proxy)
    check_nothing_was_bought(buy(kind), proxy)
    assert proxy.connections == 1


# The client of a caller leaves the socket to the garbage collector: httpcore does not close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", some_are_slow(NO_TUNNEL_OVER_SOCKS))
def test_nothing_is_bought_over_a_socks_proxy_that_refuses(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, answer: str, kind: str
) -> None:
    proxy.play(NO_TUNNEL_OVER_SOCKS[answer])
    monkeypatch.setenv("ALL_PROXY", f"socks5://{proxy.host}")
    check_nothing_was_bought(buy(kind), proxy)
    assert proxy.connections == 1


SILENT = {
    "before the tunnel": ("http", (Peer.read_head, STALL)),
    "in the tunnel": ("http", (*OPEN_TUNNEL[:2], STALL)),
    "in SOCKS": ("socks5", (STALL,)),
    "in SOCKS after the greeting": ("socks5", (*SOCKS_GREETING, STALL)),
}


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        (where, kind)
        for where in SILENT
        for kind in KINDS
        # What httpcore asks of a SOCKS proxy has no time limit: the client of a caller waits.
        if "SOCKS" not in where or not kind.startswith("httpx")
    ],
)
def test_a_silent_proxy_takes_no_more_than_the_time_of_the_call(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, where: str, kind: str
) -> None:
    scheme, script = SILENT[where]
    proxy.play(script)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://{proxy.host}")
    error = buy(kind, timeout=STALLED_SECONDS)
    check_nothing_was_bought(error, proxy)
    assert isinstance(error, APITimeoutError)
    assert proxy.wait_for(lambda: proxy.open_connections == 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_dead_proxy_has_bought_nothing_and_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str, scheme: str
) -> None:
    with FaultServer(listening=False) as dead:
        use(monkeypatch, dead, scheme)
        error = buy(kind)
        check_nothing_was_bought(error, dead)
    if not kind.startswith("httpx"):
        assert f"over the proxy {scheme}://{dead.host}" in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_a_purchase_goes_over_a_proxy_with_credentials(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    proxy.play(HEALTHY_TUNNEL)
    use(monkeypatch, proxy)
    assert buy(kind) == NUMBER
    tunnel, request = proxy.heads
    assert tunnel.startswith(f"CONNECT {HOST}:443 ".encode())
    assert b"\r\nproxy-authorization: basic" in tunnel.lower()
    assert b"proxy-authorization" not in request.lower()
    assert proxy.purchases == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_purchase_goes_over_a_socks_proxy_with_credentials(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    asks = (Peer.skip_bytes, send(plain(b"\x05\x02")))
    agrees = (Peer.skip_bytes, send(plain(b"\x01\x00")))
    proxy.play((*asks, *agrees, *SOCKS_CONNECTED, tls("other-name"), *HEALTHY))
    use(monkeypatch, proxy, "socks5")
    assert buy(kind) == NUMBER
    assert proxy.purchases == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_purchase_is_sent_once_the_proxy_opens_a_tunnel(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    proxy.play(NO_TUNNEL["503"], HEALTHY_TUNNEL)
    use(monkeypatch, proxy)
    assert buy(kind, max_retries=1) == NUMBER
    assert (proxy.purchases, proxy.requests) == (1, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_reply_that_is_lost_in_a_tunnel_leaves_the_outcome_unknown(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, kind: str, scheme: str
) -> None:
    over_socks = (*SOCKS_GREETING, *SOCKS_CONNECTED, tls("other-name"))
    proxy.play((*(over_socks if scheme == "socks5" else OPEN_TUNNEL), *BUY, CLOSE))
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://{proxy.host}")
    error = buy(kind, max_retries=2)
    assert isinstance(error, APIConnectionError)
    assert error.outcome_unknown
    assert (proxy.purchases, proxy.connections) == (1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_passes_plain_requests_on_may_have_done_so(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Without TLS there is no tunnel: the proxy gets the purchase itself."""
    proxy.play((*BUY, send(failure(503, plain("<html>"), "Retry-After: 0")), KEEP))
    use(monkeypatch, proxy)
    error = buy(kind, f"http://{HOST}", max_retries=2)
    assert isinstance(error, APIStatusError)
    assert (error.status, error.outcome_unknown) == (503, True)
    assert (proxy.purchases, proxy.requests) == (1, 1)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("exception", "direct"),
    [
        ("elsewhere.example, {host}:{port}", True),
        ("{host}:9", False),
        ("{host}", True),
        (".invalid", True),
        ("elsewhere.example", False),
    ],
)
def test_no_proxy_may_name_a_host_with_its_port(
    proxy: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    exception: str,
    direct: bool,
) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **options: look_up(
            "127.0.0.1" if host in (HOST, HOST.encode()) else host, *args, **options
        ),
    )
    with FaultServer() as server:
        server.play(HEALTHY)
        proxy.play(HEALTHY)
        use(monkeypatch, proxy)
        monkeypatch.setenv("NO_PROXY", exception.format(host=HOST, port=server.port))
        assert buy(kind, f"http://{HOST}:{server.port}") == NUMBER
        assert (server.purchases, proxy.purchases) == (int(direct), int(not direct))


def test_no_proxy_may_name_the_port_that_nobody_writes(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(host: Any, *_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    use(monkeypatch, proxy)
    monkeypatch.setenv("NO_PROXY", f"{HOST}:443")
    error = buy("sync")
    assert f"{HOST} is unknown" in str(error)
    assert proxy.connections == 0


def test_the_sync_client_refuses_a_proxy_over_tls_and_says_why(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, proxy, "https")
    error = buy("sync")
    assert isinstance(error, InvalidRequestError)
    assert "over an https:// proxy the sync client can't keep its timeout" in str(error)
    assert PASSWORD not in str(error)
    assert proxy.connections == 0


def test_the_async_client_buys_over_a_proxy_over_tls(
    proxy: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.play((tls(), *HEALTHY))
    use(monkeypatch, proxy, "https")
    assert buy("async", f"http://{HOST}") == NUMBER
    assert proxy.purchases == 1
