"""A server on raw sockets that misbehaves as it is told, and counts what it did.

It plays one script for each request. A script is a row of steps; a step is a function of the
`Peer`, which is one connection as the server sees it. What a script does not do is not done: a
connection is closed at the end of a script unless its last step is `keep`.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import yaml

CONTRACT = Path(__file__).resolve().parents[2] / "openapi.yaml"
# Nothing is dripped, stalled or sent for longer, however patient the client is.
PATIENCE_SECONDS = 5.0


@functools.cache
def contract_example() -> dict[str, Any]:
    """Read the example of a purchased number from the contract."""
    document = yaml.safe_load(CONTRACT.read_text("utf-8"))
    reply = document["paths"]["/Accounts/{AccountSid}/IncomingPhoneNumbers"]["post"]["responses"]
    example: dict[str, Any] = reply["201"]["content"]["application/json"]["examples"]["purchased"]
    value: dict[str, Any] = example["value"]
    return value


class GoneError(Exception):
    """The client closed the connection, or the server stops: the script ends here."""


class Peer:
    """One connection: what a script reads from it, sends to it and does with it."""

    def __init__(self, server: FaultServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.kept = False
        self.head = b""
        self.body = b""
        self._buffer = b""
        self._counted = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request, names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return {name.lower(): value.strip() for name, _, value in pairs if name}

    @property
    def number(self) -> str:
        """The number that the request asks for."""
        return parse_qs(self.body.decode())["PhoneNumber"][0]

    def next_request(self) -> None:
        """Forget the request, and keep what came after it."""
        self.kept = self._counted = False
        self.head = self.body = b""

    def wait_for_bytes(self) -> None:
        """Wait until the client has sent anything."""
        if not self._buffer:
            self._fill()

    def skip_bytes(self) -> None:
        """Wait until the client has sent anything, and forget it."""
        self.wait_for_bytes()
        self._buffer = b""

    def see_request(self) -> None:
        """Wait for the first bytes of a request, and count it."""
        self.wait_for_bytes()
        if not self._counted:
            self._counted = True
            self.server.count("requests")

    def read_head(self) -> None:
        """Read the request up to the end of its headers."""
        self.see_request()
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        self.head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.server.heads.append(self.head)

    def read_request(self) -> None:
        """Read the whole request: its headers and as much body as they announce."""
        self.read_head()
        length = int(self.headers.get("content-length", 0))
        while len(self._buffer) < length:
            self._fill()
        self.body, self._buffer = self._buffer[:length], self._buffer[length:]

    def execute(self) -> None:
        """Do what the request asks for: from here on the number is paid."""
        self.server.buy(self.number)

    def send(self, content: bytes) -> None:
        """Send bytes in one go."""
        self.connection.sendall(content)

    def drip(self, content: bytes, pause_seconds: float, size: int = 1) -> None:
        """Send bytes a few at a time, with a pause after each."""
        end = time.monotonic() + PATIENCE_SECONDS
        for start in range(0, len(content), size):
            self.send(content[start : start + size])
            self.pause(pause_seconds)
            if time.monotonic() > end:
                return

    def flood(self, content: bytes, pause_seconds: float = 0) -> None:
        """Send the same bytes again and again until the client hangs up."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            self.send(content)
            self.pause(pause_seconds)

    def pause(self, seconds: float) -> None:
        """Do nothing for a while."""
        if self.server.stopping.wait(seconds):
            raise GoneError

    def stall(self) -> None:
        """Read and answer nothing until the client hangs up."""
        self.connection.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(TimeoutError):
            while True:
                self._buffer = b""
                self._fill()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on, unless that is so already."""
        if not isinstance(self.connection, ssl.SSLSocket):
            self.connection = context.wrap_socket(
                self.connection, server_side=True, do_handshake_on_connect=False
            )
            self.connection.do_handshake()

    def reset(self) -> None:
        """Close with a reset (RST) instead of a goodbye."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        raise GoneError

    def close(self) -> None:
        """Say goodbye (FIN), and read on so that unread bytes do not turn it into a reset."""
        self.connection.shutdown(socket.SHUT_WR)
        self.server.count("goodbyes")
        self.stall()

    def keep(self) -> None:
        """Leave the connection open for the next request."""
        self.kept = True

    def _fill(self) -> None:
        received = self.connection.recv(65536)
        if not received:
            raise GoneError
        self._buffer += received


Step = Callable[[Peer], None]
Script = tuple[Step, ...]


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 1024
    owner: FaultServer

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.owner.serve(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing gets here: `FaultServer.serve` keeps what goes wrong."""


class FaultServer:
    """A server on a free loopback port that plays scripts.

    Shape: `requests` and `connections` count what came, `goodbyes` connections that were closed
    from here, `executed` how often each number was
    bought, `problems` what went wrong in a script, which is a mistake of the script.

    Args:
        listening: Whether connections are accepted from the start. Until `listen` they are
            refused.
        backlog: Connections that may wait to be accepted.
    """

    def __init__(self, *, listening: bool = True, backlog: int | None = None) -> None:
        self.requests = 0
        self.connections = 0
        self.open_connections = 0
        self.goodbyes = 0
        self.executed: Counter[str] = Counter()
        self.heads: list[bytes] = []
        self.problems: list[BaseException] = []
        self.stopping = threading.Event()
        self.elsewhere: FaultServer | None = None
        self._changed = threading.Condition()
        self._scripts: list[Script] = []
        self._open: set[Peer] = set()
        self._listener = _Listener(("127.0.0.1", 0), socketserver.BaseRequestHandler, False)
        self._listener.owner = self
        if backlog is not None:
            self._listener.request_queue_size = backlog
        self._listener.server_bind()
        self._thread: threading.Thread | None = None
        self._listening = listening

    @property
    def port(self) -> int:
        """The port, taken from the start and kept to the end."""
        port: int = self._listener.server_address[1]
        return port

    @property
    def host(self) -> str:
        """Host and port, as a client is given them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address for plain http."""
        return f"http://{self.host}"

    @property
    def purchases(self) -> int:
        """How many purchases were executed."""
        return self.executed.total()

    def play(self, *scripts: Script) -> None:
        """Play these scripts, one for each request, the last one for all that follow."""
        with self._changed:
            self._scripts = list(scripts)

    def count(self, name: str) -> None:
        """Add one to a counter."""
        with self._changed:
            setattr(self, name, getattr(self, name) + 1)
            self._changed.notify_all()

    def buy(self, number: str) -> None:
        """Count a purchase."""
        with self._changed:
            self.executed[number] += 1
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], seconds: float = 2.0) -> bool:
        """Wait until a condition on the counters holds; say whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def listen(self) -> None:
        """Make the kernel take connections, and accept none of them yet."""
        self._listener.server_activate()

    def accept(self) -> None:
        """Accept connections, those that wait included."""
        run = functools.partial(self._listener.serve_forever, poll_interval=0.02)
        self._thread = threading.Thread(target=run, name="fault-server")
        self._thread.start()

    def refuse(self) -> None:
        """Refuse connections from here on."""
        self._listener.shutdown()
        self._listener.socket.close()

    def serve(self, connection: socket.socket) -> None:
        """Play scripts on one connection until one does not keep it."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer(self, connection)
        with self._changed:
            self.connections += 1
            self.open_connections += 1
            self._open.add(peer)
        try:
            self._play_on(peer)
        except (GoneError, OSError):
            pass
        except Exception as problem:  # shown by `__exit__`, in the test's thread
            self.problems.append(problem)
        finally:
            peer.connection.close()
            with self._changed:
                self.open_connections -= 1
                self._open.discard(peer)
                self._changed.notify_all()

    def _play_on(self, peer: Peer) -> None:
        while True:
            for step in self._next_script():
                step(peer)
            if not peer.kept:
                return
            peer.next_request()
            peer.wait_for_bytes()

    def _next_script(self) -> Script:
        with self._changed:
            return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def __enter__(self) -> Self:
        if self._listening:
            self.listen()
            self.accept()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        if self._thread:
            self._listener.shutdown()
            self._thread.join()
        with self._changed:
            still_open = list(self._open)
        for peer in still_open:
            with contextlib.suppress(OSError):
                peer.connection.shutdown(socket.SHUT_RDWR)
        self._listener.server_close()
        if self.problems:
            raise ExceptionGroup("a script failed", self.problems)  # type: ignore[type-var]  # ours
