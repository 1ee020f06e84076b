"""What a run of a server reports: a line for each operation and phase, and few lines for a failure.

It is an event handler of schemathesis, which loads it with the hooks.
"""

import math
import re
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemathesis import cli
from schemathesis.engine import events
from schemathesis.engine.run import PhaseName

from .contract_coverage import COVERAGE
from .redaction import redacted, with_variables
from .report import Finding

_LINES = 6
"""Lines of a message at most; a body of a reply has at most _WIDTH characters."""
_WIDTH = 300
_PAUSE = 10
"""Seconds between two lines for an operation and a phase at least."""
_STATUSES = ("skip", "success", "interrupted", "error", "failure")
"""How a phase of an operation can end, the worst last."""
RESULTS: dict[str, Any] = {"findings": [], "known": 0, "reply_seconds": 0.0}
"""What the process that started this one reads of the run."""


def stop(problem: str) -> None:
    """End the run as Ctrl-C does, and say why."""
    RESULTS["stopped"] = problem
    signal.raise_signal(signal.SIGINT)


class Reply(NamedTuple):
    """A reply, as the coverage of the document reads it."""

    status: int
    reply_body: bytes


class Progress(NamedTuple):
    """What was done for an operation in a phase since the last line about it."""

    status: str = "skip"
    cases: int = 0
    seconds: float = 0.0


@cli.handler()
class Reporter(cli.EventHandler[Any]):
    """Prints progress, and keeps failures and errors."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._waiting: dict[str, Progress] = {}
        self._printed: dict[str, float] = {}
        self._errors: dict[Finding, None] = {}
        self._times: list[float] = []

    def handle_event(self, ctx: Any, event: Any) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._times += _record(event.recorder)
            is_sequence = event.phase is PhaseName.STATEFUL_TESTING
            label = "sequences of calls" if is_sequence else event.recorder.label
            place, count = f"{event.phase.value.lower()}: {label}", len(event.recorder.cases)
            before = self._waiting.get(place, Progress())
            status = max(before.status, event.status.value, key=_STATUSES.index)
            cases, seconds = before.cases + count, before.seconds + event.elapsed_time
            self._waiting[place] = Progress(status, cases, seconds)
            if not is_sequence and time.monotonic() > self._printed.get(place, -math.inf) + _PAUSE:
                self._print(place)
        elif isinstance(event, events.EngineFinished):
            for place in [*self._waiting]:
                self._print(place)
        elif isinstance(event, events.NonFatalError):
            said = _message_lines(with_variables(redacted(event.info.message)))
            text = "\n  ".join([event.info.title, *said[:_LINES]])
            self._errors[Finding(event.label, _printable(text))] = None
        elif isinstance(event, events.FatalError):
            text = f"{type(event.exception).__name__}: {event.exception}"
            self._errors[Finding("the run", text)] = None

    def _print(self, place: str) -> None:
        """Print what was done since the last line: a phase can begin hundreds of times."""
        status, cases, seconds = self._waiting.pop(place)
        self._printed[place] = time.monotonic()
        word = {"success": "passed", "failure": "failed"}.get(status, status)
        if cases:
            line = f"    {word:6} server    {cases:6,} cases {seconds:5.1f} s  {place}\n"
            sys.stderr.write(line)
            sys.stderr.flush()

    def shutdown(self, ctx: Any) -> None:
        RESULTS["reply_seconds"] = statistics.median(self._times or [0])
        RESULTS["known"] = len(ctx.statistic.known_failures)
        for test, groups in ctx.statistic.failures.items():
            for group in groups.values():
                place = next((f.operation for f in group.failures if f.operation), test)
                text = _printable("\n".join(_failure_lines(group)))
                RESULTS["findings"].append(Finding(place, text, test))
        RESULTS["findings"] += self._errors


def _record(recorder: Any) -> Iterator[float]:
    """Count what was covered, and list how long the replies took.

    That includes what checks send, such as a request without credentials.
    """
    for case_id, sent in recorder.interactions.items():
        case = recorder.cases[case_id].value
        if sent.response is None:
            continue
        yield sent.response.elapsed
        if case.method.upper() == case.operation.method.upper():
            COVERAGE.record(case, Reply(sent.response.status_code, sent.response.content or b""))


def _printable(text: str) -> str:
    """Write as escapes what no terminal shows, and what XML can't hold."""
    pattern = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
    return re.sub(pattern, lambda found: ascii(found[0])[1:-1], text)


def _failure_lines(group: Any) -> Iterator[str]:
    """Write what was wrong, the reply, and how to send the request by hand."""
    yield "; ".join(failure.title for failure in group.failures)
    for failure in group.failures:
        yield from (f"  {line}" for line in _message_lines(redacted(failure.message))[:_LINES])
    if group.response is not None:
        body = redacted((group.response.content or b"").decode("utf-8", "replace"))
        short = body if len(body) <= _WIDTH else f"{body[:_WIDTH]}..."
        yield f"  reply: {group.response.status_code} {' '.join(short.split())}"
    sent = [redacted(curl) for curl in [s.curl for s in group.steps] or [group.code_sample or ""]]
    if not any("ignored_auth" in failure.checks for failure in group.failures):
        sent = [*map(with_variables, sent)]
    if len(sent) > 1:
        yield "  the same by hand, each with what the replies before it name:"
        yield from (f"    {line}" for line in sent)
    else:
        yield f"  the same by hand: {sent[0]}"


def _message_lines(message: str) -> list[str]:
    """Write a title such as `Value:` and the block below it in one line."""
    blocks = message.replace(":\n\n", ": ").split("\n\n")
    lines = [block if "{" not in block else " ".join(block.split()) for block in blocks]
    return [" ".join(line.split()) for text in lines for line in text.splitlines() if line.strip()]
