"""A purchase that is interrupted anywhere is logged, executed at most once, and hangs nothing.

Calls are stepped through line by line, and interrupted at one line by KeyboardInterrupt. Async
calls are also cancelled where they wait. Left out are the few lines of `LEFT_OUT`.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from functools import partial
from linecache import getline
from traceback import walk_stack
from types import FrameType
from typing import Any, NamedTuple, TypeVar

import httpx
import pytest
from signalwire_compat import APIConnectionError, AsyncRestClient, RestClient

from tests.transport.fault_server import FaultServer
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.scripts import BUY, HEALTHY, HEALTHY_TLS, KEEP, RECEIPT, pause, send

TIMEOUT = 5.0
# Seconds after which a call hangs.
WATCHDOG = 3 * TIMEOUT
T = TypeVar("T")
LEFT_OUT = {
    # Interrupted here, httpcore's own handler waits for ever for the lock that it holds already.
    "ThreadLock.__enter__",
    "ThreadLock.__exit__",
    # Interrupted here, asyncio keeps a lock that all loops of the process share.
    "_LoopBoundMixin._get_loop",
    # Interrupted here, a task group of anyio waits for ever for a task that never began.
    "AnyIOBackend.connect_tcp",
    # The garbage collector calls this, and drops what is raised.
    "WeakSet.__init__.<locals>._remove",
}


class Interruption:
    """Interrupts a call at one of its points; this one only counts them.

    Shape: `point` counts from 1. 0 interrupts nothing.
    """

    def __init__(self, point: int = 0) -> None:
        self.point = point
        self.points = 0
        self.place = "nowhere"

    def is_here(self, place: str) -> bool:
        """Count a point; say whether it is the one."""
        self.points += 1
        if self.points == self.point:
            self.place = place
            return True
        return False

    def __enter__(self) -> None:
        """Watch what this thread runs from here on."""

    def __exit__(self, *exc_info: object) -> None:
        """Watch no more."""

    def waits(self, future: Any) -> None:
        """Take what an async call waits for, before it waits."""


class AtLine(Interruption):
    """KeyboardInterrupt at a line, in whatever module."""

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """Take an event of `sys.settrace`."""
        if event == "call" and _is_left_out(frame):
            return None
        if event == "line" and not _is_at_the_lock(frame):
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            if self.is_here(place):
                raise KeyboardInterrupt
        return self

    def __enter__(self) -> None:
        sys.settrace(self)

    def __exit__(self, *exc_info: object) -> None:
        sys.settrace(None)


def _is_left_out(frame: FrameType) -> bool:
    callers = (caller.f_code.co_qualname for caller, _ in walk_stack(frame))
    return frame.f_code.co_filename == __file__ or not LEFT_OUT.isdisjoint(callers)


def _is_at_the_lock(frame: FrameType) -> bool:
    # The line of a `with` runs twice: the second time it releases the lock.
    line = getline(frame.f_code.co_filename, frame.f_lineno)
    return line.strip() == "with self._optional_thread_lock:"


class AtWait(Interruption):
    """The task is cancelled as it begins to wait."""

    def waits(self, future: Any) -> None:
        if self.is_here(repr(future)):
            task().cancel()


class AfterWait(Interruption):
    """The task is cancelled when what it waits for has come, before it goes on."""

    def waits(self, future: Any) -> None:
        if self.is_here(repr(future)):
            cancel = task().cancel
            if future is None:
                cancel()
            else:
                future.add_done_callback(lambda _: cancel())


def task() -> asyncio.Task[Any]:
    current = asyncio.current_task()
    assert current is not None
    return current


class Stepped:
    """A coroutine that tells an interruption of each of its steps."""

    def __init__(self, call: Any, interruption: Interruption) -> None:
        self._steps = call.__await__()
        self._interruption = interruption

    def __await__(self) -> Generator[Any, Any, Any]:
        resume: Callable[[], Any] = self._steps.__next__
        while True:
            try:
                with self._interruption:
                    future = resume()
            except StopIteration as end:
                return end.value
            self._interruption.waits(future)
            try:
                yield future
                resume = self._steps.__next__
            except BaseException as error:  # goes into the call, as it would without us
                resume = _throwing(self._steps, error)


def _throwing(steps: Any, error: BaseException) -> Callable[[], Any]:
    return lambda: steps.throw(error)


class SyncBuyer:
    """A `RestClient` whose calls can be interrupted."""

    def __init__(self, host: str) -> None:
        self.client = RestClient(PROJECT, TOKEN, host, timeout=TIMEOUT, look_up_timeout=0)

    def buy(self, number: str, interruption: Interruption) -> Any:
        """Buy a number; give the number that was bought."""
        with interruption:
            bought = self.client.compat.phone_numbers.purchase(PhoneNumber=number)
        return bought.phone_number

    def close(self) -> None:
        """Close the client."""
        self.client.close()


class AsyncBuyer:
    """An `AsyncRestClient` whose calls can be interrupted, and its event loop."""

    def __init__(self, host: str) -> None:
        self.runner = asyncio.Runner()
        self.client = AsyncRestClient(PROJECT, TOKEN, host, timeout=TIMEOUT, look_up_timeout=0)

    def buy(self, number: str, interruption: Interruption) -> Any:
        """Buy a number; give the number that was bought."""

        async def call() -> Any:
            purchase = self.client.compat.phone_numbers.purchase(PhoneNumber=number)
            return await Stepped(purchase, interruption)

        return self.runner.run(call()).phone_number

    def close(self) -> None:
        """Close the client and its event loop."""
        self.runner.run(self.client.aclose())
        self.runner.close()


class Scene(NamedTuple):
    """Which client is interrupted how, what it speaks, and whether its connection is new."""

    buyer: type[SyncBuyer | AsyncBuyer]
    interruption: type[Interruption]
    scheme: str
    kept: bool

    def __str__(self) -> str:
        names = (self.buyer.__name__, self.interruption.__name__, self.scheme)
        return "-".join((*names, "kept" if self.kept else "new"))


SCENES = [
    Scene(buyer, interruption, scheme, kept)
    for buyer, interruption in (
        (SyncBuyer, AtLine),
        (AsyncBuyer, AtLine),
        (AsyncBuyer, AtWait),
        (AsyncBuyer, AfterWait),
    )
    for scheme in ("http", "https")
    for kept in (False, True)
]


class Stage:
    """A healthy server and the calls that are interrupted on it, each by a client of its own."""

    def __init__(self, scene: Scene, server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
        self.scene = scene
        self.server = server
        self.caplog = caplog
        self.calls = 0
        server.play(HEALTHY if scene.scheme == "http" else HEALTHY_TLS)

    def count_points(self) -> int:
        """Count the points of a call. Errors: AssertionError if a healthy call is not clean."""
        for _ in range(2):  # The first one fills caches.
            interruption = self.scene.interruption()
            assert self.play(interruption) == []
        return interruption.points

    def play(self, interruption: Interruption) -> list[str]:
        """Interrupt a call; say what is wrong then."""
        self.calls += 1
        try:
            problems = in_thread(lambda: list(self._act(interruption))).result(WATCHDOG)
        except TimeoutError:
            problems = ["it hangs"]
        return [f"interrupted at {interruption.place}: {problem}" for problem in problems]

    def _act(self, interruption: Interruption) -> Iterator[str]:
        server = self.server
        before, number, afterwards = (f"+131{n}{self.calls:07}" for n in range(3))
        self.caplog.clear()
        buyer = self.scene.buyer(f"{self.scene.scheme}://{server.host}")
        try:
            if self.scene.kept:
                buyer.buy(before, Interruption())
            outcome = outcome_of(lambda: buyer.buy(number, interruption))
            if outcome not in (number, "KeyboardInterrupt", "CancelledError"):
                yield f"it ends with {outcome}"
            if interruption.place != "nowhere" and outcome == number:
                yield "it goes on"
            next_outcome = outcome_of(lambda: buyer.buy(afterwards, Interruption()))
            if next_outcome != afterwards:
                yield f"the next purchase ends with {next_outcome}"
            if not server.wait_for(lambda: server.open_connections <= 1):
                yield f"{server.open_connections} connections are open"
        finally:
            buyer.close()
        if not server.wait_for(lambda: not server.open_connections):
            yield "a connection is open after closing"
        if server.executed[number] > 1:
            yield f"it was executed {server.executed[number]} times"
        warned = f"phone_numbers.purchase(PhoneNumber='{number}') was interrupted after it was sent"
        if server.executed[number] and outcome != number and warned not in self.caplog.text:
            yield f"it was executed, and the log says: {self.caplog.text}"
        if server.executed[afterwards] != 1:
            yield f"the next purchase was executed {server.executed[afterwards]} times"


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Run something that may hang. Errors: whatever it raises."""

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # the test raises it
            result.set_exception(error)

    result: Future[T] = Future()
    threading.Thread(target=run, daemon=True).start()
    return result


def outcome_of(purchase: Callable[[], Any]) -> Any:
    gc.disable()  # What it would run would be interrupted, too.
    try:
        return purchase()
    except BaseException as error:
        return type(error).__name__
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def forgotten_sockets(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Drop what a test left: a socket that is interrupted while it is made is never closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        caplog.get_records("call").clear()  # Their tracebacks hold sockets.
        gc.collect()


@pytest.fixture
def stage(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Stage]:
    with FaultServer() as server, trusted_by_environment():
        yield Stage(request.param, server, caplog)


@pytest.mark.parametrize("sample", [5, pytest.param(75, marks=pytest.mark.slow)])
@pytest.mark.parametrize("stage", SCENES, ids=str, indirect=True)
def test_a_purchase_interrupted_at_any_point_is_logged_and_the_next_one_works(
    stage: Stage, sample: int
) -> None:
    count = stage.count_points()
    step = max(count / sample, 1)
    for turn in range(min(sample, count)):
        interruption = stage.scene.interruption(1 + int(step * (turn + 0.5)))
        assert stage.play(interruption) == []


@pytest.mark.parametrize("sample", [5, pytest.param(75, marks=pytest.mark.slow)])
def test_calls_of_other_threads_go_on_when_one_is_interrupted(sample: int) -> None:
    with FaultServer() as server:
        server.play((*BUY, pause(0.1), send(RECEIPT), KEEP))
        buyer = SyncBuyer(server.url)
        buyer.buy("+13105550100", Interruption())
        count = AtLine()  # On a kept connection: each later call has as many points, or more.
        buyer.buy("+13105550101", count)
        for turn in range(sample):
            numbers = [f"+1310{turn:06}{call}" for call in range(4)]
            calls = [in_thread(partial(buyer.buy, number, Interruption())) for number in numbers]
            assert server.wait_for(partial(server.executed.keys().__ge__, set(numbers)))
            interruption = AtLine(1 + count.points * turn // sample)
            interrupted = partial(buyer.buy, f"+1310{turn:06}4", interruption)
            outcome = in_thread(partial(outcome_of, interrupted)).result(WATCHDOG)
            assert outcome == "KeyboardInterrupt", interruption.place
            assert [call.result(WATCHDOG) for call in calls] == numbers
        assert max(server.executed.values()) == 1
        assert server.wait_for(lambda: server.open_connections <= 5)
        buyer.close()


async def behind_another_error(_: httpx.Request) -> httpx.Response:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise RuntimeError("left in the wrong order")  # noqa: B904


async def in_a_group(_: httpx.Request) -> httpx.Response:
    raise BaseExceptionGroup("unhandled errors", [KeyboardInterrupt()])


async def refused_late(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(0.1)
    raise httpx.ConnectError("refused")


async def buy_from(service: Callable[[httpx.Request], Any]) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http_client:
        client = AsyncRestClient(
            PROJECT, TOKEN, "127.0.0.1", http_client=http_client, look_up_timeout=0
        )
        await client.compat.phone_numbers.purchase(PhoneNumber="+13105550100")


@pytest.mark.parametrize("service", [behind_another_error, in_a_group])
def test_an_interrupt_that_a_library_hides_still_interrupts_the_call(
    service: Callable[[httpx.Request], Any], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(buy_from(service))
    assert "was interrupted after it was sent" in caplog.text


@pytest.mark.parametrize(
    ("cancelled", "expected"), [(False, APIConnectionError), (True, asyncio.CancelledError)]
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_call_that_ends_while_its_caller_handles_an_interrupt_ends_as_usual(
    begun: bool, cancelled: bool, expected: type[BaseException]
) -> None:
    with asyncio.Runner() as runner:
        call = runner.get_loop().create_task(buy_from(refused_late))
        if begun:
            runner.run(asyncio.sleep(0.05))
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            if not begun:
                runner.run(asyncio.sleep(0.05))
            if cancelled:
                call.cancel()
            with pytest.raises(expected):
                runner.run(asyncio.wait_for(call, TIMEOUT))
