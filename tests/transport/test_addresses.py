"""The addresses of a name: how it is looked up, and which address is tried when."""

import asyncio
import contextlib
import gc
import itertools
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from signalwire_compat import APIConnectionError, APITimeoutError, AsyncRestClient, RestClient
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.fault_server import FaultServer
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.scripts import HEALTHY

NAME = "several-addresses.localhost"
NUMBERS = [f"+1313{index:07}" for index in range(20)]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.play(HEALTHY)
        yield running


class Names:
    """Answers for `NAME` with these addresses; until `answer` is set, it lets callers wait."""

    def __init__(self, *addresses: str) -> None:
        self.asked: list[threading.Thread] = []
        self.answer = threading.Event()
        self.answer.set()
        self._addresses = addresses
        self._look_up = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host not in (NAME, NAME.encode()):
            return self._look_up(host, port, *args, **options)
        self.asked.append(threading.current_thread())
        self.answer.wait(10)
        found = (self._look_up(address, port, *args, **options) for address in self._addresses)
        return [info for infos in found for info in infos]


def buy(kind: Any, server: FaultServer, *numbers: str, **settings: Any) -> list[Any]:
    """Buy numbers at the same time over one client; give them, or the errors."""
    client = kind(PROJECT, TOKEN, f"{NAME}:{server.port}", **settings)
    purchase = client.compat.phone_numbers.purchase

    def attempt(number: str) -> Any:
        try:
            return purchase(PhoneNumber=number).phone_number
        except APIConnectionError as error:
            return error

    async def buy_all() -> list[Any]:
        calls = (purchase(PhoneNumber=number) for number in numbers)
        found = await asyncio.gather(*calls, return_exceptions=True)
        await client.aclose()
        return [getattr(result, "phone_number", result) for result in found]

    if kind is AsyncRestClient:
        return asyncio.run(buy_all())
    with client, ThreadPoolExecutor(len(numbers)) as pool:
        return list(pool.map(attempt, numbers))


@contextlib.contextmanager
def accepting_nothing(port: int) -> Iterator[tuple[socket.socket, list[int]]]:
    """Listen on ::1, with a queue that is full of sockets from these ports: others wait."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_INET6))
        listener.bind(("::1", port))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = stack.enter_context(socket.socket(socket.AF_INET6))
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("::1", port))
            fillers.append(filler.getsockname()[1])
        yield listener, fillers


KINDS = pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])


@KINDS
def test_the_next_address_is_tried_long_before_a_silent_one_has_used_up_the_time(
    server: FaultServer, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names("::1", "127.0.0.1"))
    began = time.monotonic()
    with accepting_nothing(server.port):
        assert buy(kind, server, NUMBERS[0], timeout=60) == NUMBERS[:1]
    assert time.monotonic() - began < 15
    assert server.purchases == 1


@KINDS
def test_every_address_of_a_name_is_tried_until_one_answers(
    server: FaultServer, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names("::1", "127.0.0.1"))
    assert buy(kind, server, NUMBERS[0], max_retries=0) == NUMBERS[:1]
    assert server.connections == 1


@KINDS
def test_a_name_whose_addresses_all_refuse_has_bought_nothing(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names("::1", "127.0.0.1"))
    with FaultServer(listening=False) as closed:
        (error,) = buy(kind, closed, NUMBERS[0], max_retries=0)
    assert isinstance(error, APIConnectionError)
    assert "refused" in str(error) or "connection attempts failed" in str(error)
    assert not error.outcome_unknown


def test_a_connection_that_comes_too_late_is_closed(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address begins to accept when the number has been bought over the second one."""
    monkeypatch.setattr(socket, "getaddrinfo", Names("::1", "127.0.0.1"))
    with accepting_nothing(server.port) as (listener, fillers):
        assert buy(RestClient, server, NUMBERS[0], timeout=60) == NUMBERS[:1]
        listener.settimeout(10)
        while True:
            late, address = listener.accept()
            with late:
                if address[1] not in fillers:
                    late.settimeout(10)
                    assert late.recv(1) == b""
                    break


@KINDS
def test_a_name_is_looked_up_once_while_its_resolver_hangs(
    server: FaultServer, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("127.0.0.1")
    names.answer.clear()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    results = buy(kind, server, *NUMBERS, timeout=0.3)
    assert [type(result) for result in results] == [APITimeoutError] * len(NUMBERS)
    assert not any(result.outcome_unknown for result in results)
    assert len(names.asked) == 1
    names.answer.set()
    names.asked[0].join()
    assert buy(kind, server, NUMBERS[0]) == NUMBERS[:1]
    assert len(names.asked) == 2
    assert server.purchases == 1


@KINDS
def test_a_name_is_looked_up_in_the_calling_thread_if_no_other_can_be_started(
    server: FaultServer, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("::1", "127.0.0.1")
    start = threading.Thread.start
    here = threading.current_thread()

    def start_for_others(thread: threading.Thread) -> None:
        if threading.current_thread() is here:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(socket, "getaddrinfo", names)
    client = kind(PROJECT, TOKEN, f"{NAME}:{server.port}")

    async def abuy() -> Any:
        number = await client.compat.phone_numbers.purchase(PhoneNumber=NUMBERS[0])
        await client.aclose()
        return number

    monkeypatch.setattr(threading.Thread, "start", start_for_others)
    if kind is AsyncRestClient:
        bought = asyncio.run(abuy())
    else:
        with client:
            bought = client.compat.phone_numbers.purchase(PhoneNumber=NUMBERS[0])
    assert bought.phone_number == NUMBERS[0]
    assert names.asked == [here]


# A trace function can raise where no handler is in force yet: then the garbage collector closes.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_between_addresses_hangs_nobody(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step between looking the name up and having a connection is interrupted once."""
    monkeypatch.setattr(socket, "getaddrinfo", Names("::1", "127.0.0.1"))
    endings: list[type[object]] = []

    def buy_and_be_interrupted_at(step: int) -> None:
        steps = itertools.count(1)

        def trace(frame: FrameType, event: str, arg: object) -> Any:
            if Path(frame.f_code.co_filename).name != "_host_addresses.py":
                return trace
            if event == "line" and next(steps) == step:
                sys.settrace(None)
                raise KeyboardInterrupt
            return trace

        with RestClient(PROJECT, TOKEN, f"{NAME}:{server.port}", look_up_timeout=0) as client:
            sys.settrace(trace)
            try:
                client.compat.phone_numbers.purchase(PhoneNumber=f"+1313{step:07}")
                endings.append(IncomingPhoneNumber)
            except KeyboardInterrupt:
                endings.append(KeyboardInterrupt)
            finally:
                sys.settrace(None)

    while IncomingPhoneNumber not in endings:
        step = len(endings) + 1
        thread = threading.Thread(target=buy_and_be_interrupted_at, args=(step,), daemon=True)
        thread.start()
        thread.join(20)
        assert len(endings) == step, "it hangs, or ends in another exception"
    assert len(endings) > 20
    gc.collect()
    assert server.purchases == 1
    assert server.wait_for(lambda: server.open_connections == 0)
