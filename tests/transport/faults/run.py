"""Runs one row against one client, and says in words what was not as promised."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.transport.fault_server import PATIENCE_SECONDS, FaultServer

from .callers import CALLERS, PROJECT, TOKEN, Caller, collect_quietly
from .certificates import trusted_by_environment
from .checks import Call, Recorder, problems_of, secret_problems
from .losses import Result, losses
from .rows import BY_NAME
from .scripts import CLOSE, HEALTHY, HEALTHY_TLS
from .table import CALLERS_CLIENTS, KINDS, Fault, Kind

NUMBER, BEFORE, AFTERWARDS = "+13105550100", "+13105550101", "+13105550102"
NAME = "fault-server.localhost"
# What a healthy server may take on a busy machine.
PATIENT_SECONDS = 10.0
ALL_KINDS = KINDS + CALLERS_CLIENTS


@dataclass(frozen=True)
class Outcome:
    """What became of a row: clean if there are no problems."""

    problems: tuple[str, ...]
    requests: int
    executed: int


Results = dict[Kind, Outcome]


def run_all(name: str) -> Results:
    """Run the row of this name against both clients, and over callers' clients if it has money."""
    fault = BY_NAME[name]
    return {kind: run(fault, kind) for kind in (ALL_KINDS if fault.costs else KINDS)}


def run(fault: Fault, kind: Kind) -> Outcome:
    """Run one row against one client.

    The server plays the scripts of the row while the client buys; then the server is healthy, and
    the same client buys another number.
    """
    listening = fault.connect not in ("refused", "full")
    backlog = 0 if fault.connect == "full" else None
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(FaultServer(listening=listening, backlog=backlog))
        if fault.group == "redirect":
            server.elsewhere = stack.enter_context(FaultServer())
            server.elsewhere.play(HEALTHY)
        server.play(*fault.scripts)
        mend = stack.enter_context(_unreachable(fault, server))
        recorder = stack.enter_context(Recorder())
        caller = _caller(fault, kind, server)
        known = (NUMBER, TOKEN, PROJECT)
        try:
            # Over a client of the caller's less is sent again, and so less executed.
            call = _call(fault, caller, server, 2.0 if kind in KINDS else 0.2)
            if kind in KINDS:
                problems = problems_of(fault, call, recorder.records, server, known)
                mend()
                problems += _afterwards(fault, caller, server)
            else:
                problems = secret_problems(fault, call, recorder.records, known)
                mend()
                problems += _losses(fault, call, caller, server)
        finally:
            caller.close()
        if not server.wait_for(lambda: server.open_connections == 0):
            if kind == "httpx-aiohttp":
                collect_quietly()
            else:
                problems.append(f"{server.open_connections} connections are open after closing")
        return Outcome(tuple(problems), call.requests, call.executed)


def _caller(fault: Fault, kind: Kind, server: FaultServer) -> Caller:
    given = {"max_retries": fault.max_retries, "max_reply_bytes": fault.max_reply_bytes}
    settings = {name: value for name, value in given.items() if value is not None}
    host = server.host
    if fault.connect.startswith("https"):
        host = f"https://{host}"
    if fault.connect in ("name", "slow-name"):
        host = f"{NAME}:{server.port}"
    trust = trusted_by_environment() if fault.connect == "https" else contextlib.nullcontext()
    with trust:
        return CALLERS[kind](host, timeout=fault.timeout, **settings)


def _attempt(caller: Caller, number: str, timeout: float | None = None) -> Result:
    try:
        return caller.purchase(number, timeout)
    except Exception as error:  # whatever comes through is judged
        return error


def _call(fault: Fault, caller: Caller, server: FaultServer, patience: float) -> Call:
    before = {BEFORE: _attempt(caller, BEFORE, PATIENT_SECONDS)} if fault.before else {}
    caller.idle(fault.idle_seconds)
    requests, executed = server.requests, server.purchases
    if fault.memory_bytes is not None:
        tracemalloc.start()
    began = time.monotonic()
    result = _attempt(caller, NUMBER)
    seconds = time.monotonic() - began
    peak = 0
    if fault.memory_bytes is not None:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    server.wait_for(lambda: server.purchases - executed >= fault.executed, patience)
    return Call(
        before=before,
        result=result,
        seconds=seconds,
        peak_bytes=peak,
        requests=server.requests - requests,
        connections=server.connections,
        executed=server.purchases - executed,
    )


def _losses(fault: Fault, call: Call, caller: Caller, server: FaultServer) -> list[str]:
    """Say what is wrong with the money, before the fault, in it and after it."""
    results = {**call.before, NUMBER: call.result}
    if fault.heals:
        _heal(fault, server)
        results[AFTERWARDS] = _attempt(caller, AFTERWARDS, PATIENT_SECONDS)
    problems = losses(server, results)
    if call.requests > 1:
        problems.append(f"the server saw {call.requests} requests")
    if fault.is_unsent and getattr(call.result, "outcome_unknown", False):
        problems.append(f"nothing was sent, and outcome_unknown is True: {call.result}")
    return problems


def _heal(fault: Fault, server: FaultServer) -> None:
    if any(script[-1] is CLOSE for script in fault.scripts[-1:]):
        # A client that is faster than a goodbye can't know that nobody will read its request.
        server.wait_for(lambda: server.goodbyes > 0 or server.open_connections == 0)
    server.play(HEALTHY_TLS if fault.connect == "https" else HEALTHY)


def _afterwards(fault: Fault, caller: Caller, server: FaultServer) -> list[str]:
    """Say what is wrong with a client after the fault is over."""
    if not fault.heals:
        return []
    _heal(fault, server)
    problems = []
    try:
        number = caller.purchase(AFTERWARDS, PATIENT_SECONDS)
        if number.phone_number != AFTERWARDS:
            problems.append(f"the next purchase returned {number.phone_number}")
    except Exception as error:  # whatever comes through is judged
        problems.append(f"the next purchase failed: {type(error).__name__}: {error}")
    if server.executed[AFTERWARDS] != 1:
        problems.append(f"the next purchase was executed {server.executed[AFTERWARDS]} times")
    if not server.wait_for(lambda: server.open_connections <= 1):
        problems.append(f"{server.open_connections} connections are open, more than one")
    if any(b"\r\ncookie:" in head.lower() for head in server.heads):
        problems.append("a cookie of the server was sent back")
    return problems


@contextlib.contextmanager
def _unreachable(fault: Fault, server: FaultServer) -> Iterator[Callable[[], None]]:
    """Make the server unreachable in the way of the row; give what makes it reachable."""
    if fault.connect == "refused":

        def open_port() -> None:
            server.listen()
            server.accept()

        yield open_port
    elif fault.connect == "full":
        with _full_queue(server) as empty:
            yield empty
    elif fault.connect in ("name", "slow-name"):
        with _resolver(fault, server) as mend:
            yield mend
    else:
        yield lambda: None


@contextlib.contextmanager
def _full_queue(server: FaultServer) -> Iterator[Callable[[], None]]:
    server.listen()
    with contextlib.ExitStack() as waiting:
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", server.port))

        def empty() -> None:
            waiting.close()
            server.accept()

        yield empty


@contextlib.contextmanager
def _resolver(fault: Fault, server: FaultServer) -> Iterator[Callable[[], None]]:
    """Answer for the name of the server, as the row wants it; no question leaves this machine."""
    original = socket.getaddrinfo
    mended = threading.Event()

    def answer(host: Any, *args: Any, **options: Any) -> Any:
        if host not in (NAME, NAME.encode()):
            return original(host, *args, **options)
        if not mended.is_set():
            if fault.connect == "slow-name":
                mended.wait(PATIENCE_SECONDS)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return original("127.0.0.1", *args, **options)

    socket.getaddrinfo = answer
    try:
        yield mended.set
    finally:
        mended.set()
        socket.getaddrinfo = original
