"""Finds the addresses of a host, and connects to the first one that answers."""

from __future__ import annotations

import functools
import ipaddress
import os
import queue
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import anyio
import httpcore

# Seconds after which the next address is tried while the last one is still connecting.
_NEXT_ADDRESS = 0.25
_looking_up: dict[tuple[int, str, int], Future[list[str]]] = {}


def look_up(host: str, port: int) -> Future[list[str]]:
    """Look up the addresses of a host in a thread, since the system's call has no timeout.

    While a look-up runs, other calls for the same host wait for it.
    """
    found: Future[list[str]] = Future()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        key = (os.getpid(), host, port)
        try:
            running = _looking_up.setdefault(key, found)
            if running is found:
                _start(functools.partial(_look_up, key, found))
        except BaseException:
            if _looking_up.get(key) is found:  # Nobody would ever finish it.
                _looking_up.pop(key, None)
            raise
        return running
    found.set_result([host])
    return found


def _look_up(key: tuple[int, str, int], found: Future[list[str]]) -> None:
    _, host, port = key
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except Exception as error:
        _looking_up.pop(key, None)
        found.set_exception(error if isinstance(error, OSError) else OSError(str(error)))
        return
    _looking_up.pop(key, None)
    # The second one to try is of the other family, in case this network has no IPv6.
    others = sorted(infos[1:], key=lambda info: info[0] == infos[0][0])
    found.set_result([str(address[0]) for *_, address in (infos[0], *others)])


def _start(work: Callable[[], None]) -> None:
    try:
        threading.Thread(target=work, daemon=True, name="signalwire_compat").start()
    except RuntimeError:  # No thread can be started.
        work()


def race(
    connect: Callable[[str], httpcore.NetworkStream],
    addresses: list[str],
    left: Callable[[], float],
) -> httpcore.NetworkStream:
    """Connect to the first address that answers; each next one is tried after 250 ms.

    `left` gives the seconds that are left.
    """
    results: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    decided = threading.Lock()
    winner: list[httpcore.NetworkStream] = []

    def attempt(address: str) -> None:
        try:
            stream = connect(address)
        except Exception as error:
            results.put(error)
            return
        if decided.acquire(blocking=False):
            winner.append(stream)
            results.put(None)
        else:
            stream.close()

    failures: list[Exception] = []
    try:
        for started, address in enumerate(addresses, 1):
            _start(functools.partial(attempt, address))
            while len(failures) < started:
                wait = _NEXT_ADDRESS if started < len(addresses) else left()
                try:
                    result = results.get(timeout=wait)
                except queue.Empty:
                    break
                if result is None:
                    return winner[0]
                failures.append(result)
        if len(failures) == len(addresses):
            raise failures[-1]
        raise TimeoutError("no address of the host answered in time")
    except BaseException:
        if not decided.acquire(blocking=False):  # One has just connected: nobody will use it.
            while not winner:
                results.get()
            winner[0].close()
        raise


async def async_race(
    connect: Callable[[str], Awaitable[httpcore.AsyncNetworkStream]], addresses: list[str]
) -> httpcore.AsyncNetworkStream:
    """Do what `race` does. The caller keeps the time."""
    streams: list[httpcore.AsyncNetworkStream] = []
    errors: list[Exception] = []

    async def attempt(address: str, over: anyio.Event) -> None:
        try:
            streams.append(await connect(address))
            group.cancel_scope.cancel()
        except Exception as error:
            errors.append(error)
        over.set()

    try:
        async with anyio.create_task_group() as group:
            for address in addresses:
                over = anyio.Event()
                group.start_soon(attempt, address, over)
                with anyio.move_on_after(_NEXT_ADDRESS):
                    await over.wait()
        winner = streams.pop() if streams else None
    finally:
        for stream in streams:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
    if winner is None:
        raise errors[-1]
    return winner
