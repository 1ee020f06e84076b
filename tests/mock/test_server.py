"""A server starts, ends, and is independent of others."""

import re
import socket
import threading

import httpx
import pytest
import signalwire_compat_mock
from signalwire_compat_mock import MockServer

from tests.conftest import PROJECT
from tests.mock.helpers import NUMBER, NUMBERS, connection, number_of, read_all, sender


def test_two_servers_share_neither_port_nor_numbers(mock: MockServer, http: httpx.Client) -> None:
    with MockServer() as second:
        assert second.url != mock.url
        for server in (mock, second):
            number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))


def test_a_closed_server_leaves_no_thread_and_no_socket() -> None:
    before = threading.active_count()
    server = MockServer().start()
    with connection(server) as idle, connection(server) as halfway:
        halfway.sendall(
            f"POST {NUMBERS} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na".encode()
        )
        address = idle.getpeername()
        server.close()
        assert threading.active_count() == before
        assert read_all(idle) == read_all(halfway) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_closed_server_can_be_started_again_with_its_numbers(http: httpx.Client) -> None:
    server = MockServer()
    for status in (201, 422):
        with server:
            reply = sender(server, http)(data={"PhoneNumber": NUMBER})
        assert reply.status_code == status
    server.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    assert server.charges(PROJECT) == len(server.journal) - 1 == 1


def test_a_server_on_ipv6_has_a_url_with_brackets(http: httpx.Client) -> None:
    with MockServer(host="::1") as server:
        assert re.fullmatch(r"http://\[::1\]:\d+", server.url)
        number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))


@pytest.mark.parametrize(("host", "called"), [("0.0.0.0", r"127\.0\.0\.1"), ("::", r"\[::1\]")])  # noqa: S104
def test_a_server_on_every_address_names_one_that_a_client_takes(
    host: str, called: str, http: httpx.Client
) -> None:
    with MockServer(host=host) as server:
        assert re.fullmatch(rf"http://{called}:\d+", server.environment["SIGNALWIRE_SPACE"])
        number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))


def test_a_token_without_text_is_not_taken() -> None:
    with pytest.raises(ValueError, match="token is empty"):
        MockServer(token="")


def test_the_exported_names_are_sorted_and_documented() -> None:
    names = signalwire_compat_mock.__all__
    assert names == sorted(names)
    assert all(getattr(signalwire_compat_mock, n).__doc__ for n in names)
