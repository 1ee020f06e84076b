"""A run of `signalwire-compat bulk`: what is sent, and what is written before and after."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from ._errors import SignalWireError
from ._rest_client import AsyncRestClient
from ._results_file import DONE, EXISTING, FAILED, IN_FLIGHT, UNKNOWN, Record, ResultsFile, sent_at

SIGNALS: dict[int, str] = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
"""What ends a run, with the reason that it gives."""
# Every further call would be refused as well.
_STOP_AT = ("credentials", "funds", "limit")
_MOST_FAILURES = 10


class Run:
    """One run, with a few calls at once.

    `settle` is for how many seconds a call may be under way after its client died. `wanted` is how
    many calls are to succeed; None for every row. `limit` is how many calls are made at most.
    """

    def __init__(
        self,
        client: AsyncRestClient,
        method: Callable[..., Any],
        results: ResultsFile,
        *,
        settle: float,
        wanted: int | None,
        limit: int | None,
    ) -> None:
        self._client, self._method, self._results = client, method, results
        self._settle, self._wanted, self._calls_left = settle, wanted, limit
        self._stopped, self._turn = asyncio.Event(), asyncio.Lock()
        self._active: set[Any] = set()
        self._old: set[str] = set()
        self._finished = self._failures = 0
        self.reasons: list[str] = []
        """Why the run stopped early."""

    async def process(
        self, old: list[Record], rows: AsyncIterator[Record], total: int, concurrency: int
    ) -> None:
        """Work on all rows. The old ones are looked up, and sent only if so many are wanted."""
        self._old = set(map(self._results.key, old))
        with self._interrupts():
            async with self._client:
                for source, limit in ((each(old), None), (rows, self._wanted)):
                    async with asyncio.TaskGroup() as group:
                        for _ in range(concurrency):
                            group.create_task(self._work(source, limit, total))
        if sys.stderr.isatty():
            _say("")  # Ends the line of the progress.

    @contextlib.contextmanager
    def _interrupts(self) -> Iterator[None]:
        """Let the first signal stop the run, and the second end it at once."""
        loop = asyncio.get_running_loop()

        def interrupt(number: int) -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, before[signal.SIGTERM])
            self._stop(SIGNALS[number])
            _say("Waiting for open calls. Press Ctrl-C again to quit at once.")

        def handle(number: int, _: object) -> None:
            loop.call_soon_threadsafe(interrupt, number)

        # Not a handler of the loop: Windows has none.
        before = {number: signal.signal(number, handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _work(self, rows: AsyncIterator[Record], limit: int | None, total: int) -> None:
        while (row := await self._next(rows, limit)) is not None:
            try:
                await self._settle_or_send(row)
            except OSError as error:
                self._stop(str(error))
            self._active.discard(self._results.key(row))
            self._finished += 1
            if sys.stderr.isatty():
                done = self._finished if self._wanted is None else self._held()
                sys.stderr.write(f"\r[{'#' * (30 * done // total):<30}] {done} of {total} ")

    async def _next(self, rows: AsyncIterator[Record], limit: int | None) -> Record | None:
        """Take a row, if one more is needed."""
        async with self._turn:
            if self._stopped.is_set() or (limit is not None and self._held() >= limit):
                return None
            try:
                row = await anext(rows, None)
                self._active |= {self._results.key(row)} if row else set()
            except (SignalWireError, ValueError) as error:
                self._stop(str(error))
                return None
            return row

    def _held(self) -> int:
        """Count the calls that succeeded, or may do so."""
        records = self._results.records.items()
        held = {key for key, record in records if record["outcome"] in (DONE, IN_FLIGHT, UNKNOWN)}
        return len(held | self._active)

    def _is_needed(self, row: Record) -> bool:
        """Whether a row is to be sent if it is not there."""
        if self._wanted is None:
            return self._results.key(row) not in self._old
        return self._held() <= self._wanted

    async def _settle_or_send(self, row: Record) -> None:
        """Look whether a row is there, and send it if not.

        One that was never in flight may be there as well: the results can be lost.
        """
        record = self._results.records.get(self._results.key(row), {"outcome": None})
        if record["outcome"] in (DONE, EXISTING):
            return
        was_sent = record["outcome"] in (IN_FLIGHT, UNKNOWN)
        known = record["arguments"] if was_sent else row
        since = self._results.cut_since  # What a cut took may say that it was sent later.
        if was_sent:
            since = max(sent_at(record), since or sent_at(record))
        try:
            found = await self._look(known, since)
        except SignalWireError as error:
            self._results.write(known, UNKNOWN if was_sent else FAILED, error=str(error))
            self._failed(error)
            return
        if found is not None:
            self._results.write(known, DONE if was_sent else EXISTING, sid=_sid(found))
        elif self._stopped.is_set():
            return  # The wait may have been cut short, so the call may still be under way.
        elif not self._is_needed(row):
            self._results.write(known, FAILED, error="It was not carried out, nor is it needed.")
        else:
            await self._send(row)

    async def _look(self, row: Record, since: datetime | None) -> Any:
        """Look a row up, and again when a call that began at `since` must be over."""
        found = await self._client.look_up(self._method, **row)
        age = (datetime.now(UTC) - since).total_seconds() if since else self._settle
        wait = min(self._settle - age, self._settle)
        if found is None and wait > 0:
            name = self._results.key(row)
            _say(f"{name}: waiting {wait:.0f} seconds, since its call may be under way.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)
            found = await self._client.look_up(self._method, **row)
        return found

    async def _send(self, row: Record) -> None:
        if self._calls_left == 0:
            self._stop("as many calls were made as --limit allows.")
            return
        if self._calls_left:
            self._calls_left -= 1
        self._results.write(row, IN_FLIGHT)
        try:
            done = await self._method(**row)
        except SignalWireError as error:
            outcome = UNKNOWN if error.outcome_unknown else FAILED
            self._results.write(row, outcome, error=str(error), sid=error.sid)
            self._failed(error)
        else:
            self._failures = 0
            self._results.write(row, DONE, sid=_sid(done))

    def _failed(self, error: SignalWireError) -> None:
        """Stop if the next row would fail as well."""
        self._failures += 1
        if error.category in _STOP_AT:
            self._stop(str(error))
        elif self._wanted is not None and self._failures >= _MOST_FAILURES:
            self._stop(f"{self._failures} rows in a row failed, the last one: {error}")

    def _stop(self, reason: str) -> None:
        self._stopped.set()
        self.reasons.append(reason)


async def each(rows: list[Record]) -> AsyncIterator[Record]:
    """Give one row after the other."""
    for row in rows:
        yield row


def _sid(model: Any) -> str | None:
    return getattr(model, "sid", None)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
