"""TLS for clients that speak nothing else, with an authority that each mock makes for itself."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection. A request of HTTP begins with a letter."""


def tls_context(certificate: Path, host: str) -> ssl.SSLContext:
    """Make the TLS settings of a server, and write the certificate of its authority to a file.

    The key of the authority stays in memory. A client that asks for a host by name gets a
    certificate for that name, so that the mock can run under any.
    Errors: `ImportError` without trustme, `OSError` if the file can't be written.
    """
    try:
        import trustme
    except ImportError as error:
        todo = "pip install trustme, or signalwire-compat-mock[tls]"
        raise ImportError(f"TLS needs the package trustme: {todo}") from error
    authority = trustme.CA(organization_name="signalwire-compat-mock")
    authority.cert_pem.write_to_path(str(certificate))

    @functools.lru_cache
    def context(*names: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(made)
        return made

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object) -> None:
        with contextlib.suppress(ValueError):
            if name:
                connection.context = context(name)

    own = context("localhost", "127.0.0.1", "::1", host.partition("%")[0])
    own.sni_callback = choose
    return own


async def accept(
    listening: socket.socket, protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext
) -> NoReturn:
    """Serve HTTP, with and without TLS, on one socket until this is cancelled."""
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    async with asyncio.TaskGroup() as connections:
        while True:
            connection, _ = await loop.sock_accept(listening)
            connections.create_task(_connect(connection, protocol, context))


async def _connect(
    connection: socket.socket, protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext
) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    except asyncio.CancelledError:
        connection.close()
        raise
    finally:
        loop.remove_reader(connection)
    with contextlib.suppress(OSError):  # The client hung up, or does not trust the certificate.
        is_tls = connection.recv(1, socket.MSG_PEEK) == _HANDSHAKE
        await loop.connect_accepted_socket(protocol, connection, ssl=context if is_tls else None)
