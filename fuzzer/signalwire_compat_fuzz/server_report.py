"""What a run of a server tells: a line for each operation and phase, and what failed, in few lines.

It is an event handler of schemathesis, which loads it with the hooks.
"""

import signal
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemathesis import cli
from schemathesis.engine import events
from schemathesis.engine.run import PhaseName

from .contract_coverage import COVERAGE
from .report import Failure, with_variables

_LINES = 6
"""Lines of a message at most; a body of a reply has at most _WIDTH characters."""
_WIDTH = 300
TOLD: dict[str, Any] = {"failures": [], "known": 0}
"""What the process that started this one reads."""


def stop(problem: str) -> None:
    """End the run as Ctrl-C does, and say why."""
    TOLD["stopped"] = problem
    signal.raise_signal(signal.SIGINT)


class Reply(NamedTuple):
    """A reply, as the coverage of the document reads it."""

    status: int
    reply_body: bytes


@cli.handler()
class Reporter(cli.EventHandler[Any]):
    """Prints progress, and keeps failures and errors."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._sequences: Counter[str] = Counter()
        self._seconds = 0.0
        self._errors: dict[Failure, None] = {}
        self._times: list[float] = []

    def handle_event(self, ctx: Any, event: Any) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._times += _record(event.recorder)
            status, count = event.status.value, len(event.recorder.cases)
            if event.phase is PhaseName.STATEFUL_TESTING:
                self._sequences[status] += count
                self._seconds += event.elapsed_time
            elif count:
                place = f"{event.phase.value.lower()}: {event.recorder.label}"
                _tell(status, count, event.elapsed_time, place)
        elif isinstance(event, events.EngineFinished) and self._sequences:
            status = "failure" if "failure" in self._sequences else "success"
            _tell(status, self._sequences.total(), self._seconds, "stateful: sequences of calls")
        elif isinstance(event, events.NonFatalError):
            said = _message_lines(with_variables(event.info.message))
            text = "\n  ".join([event.info.title, *said[:_LINES]])
            self._errors[Failure(event.label, text)] = None
        elif isinstance(event, events.FatalError):
            text = f"{type(event.exception).__name__}: {event.exception}"
            self._errors[Failure("the run", text)] = None

    def shutdown(self, ctx: Any) -> None:
        TOLD["reply_seconds"] = statistics.median(self._times or [0])
        TOLD["known"] = len(ctx.statistic.known_failures)
        for test, groups in ctx.statistic.failures.items():
            for group in groups.values():
                place = next((f.operation for f in group.failures if f.operation), test)
                TOLD["failures"].append(Failure(place, "\n".join(_lines(group)), test))
        TOLD["failures"] += self._errors


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


def _tell(status: str, cases: int, seconds: float, place: str) -> None:
    word = {"success": "passed", "failure": "failed"}.get(status, status)
    sys.stderr.write(f"    {word:6} server    {cases:6,} cases {seconds:5.1f} s  {place}\n")
    sys.stderr.flush()


def _lines(group: Any) -> Iterator[str]:
    """Write what was wrong, the reply, and how to send the request by hand."""
    yield "; ".join(failure.title for failure in group.failures)
    for failure in group.failures:
        yield from (f"  {line}" for line in _message_lines(failure.message)[:_LINES])
    if group.response is not None:
        body = (group.response.content or b"").decode("utf-8", "replace")
        short = body if len(body) <= _WIDTH else f"{body[:_WIDTH]}..."
        yield f"  reply: {group.response.status_code} {' '.join(short.split())}"
    sent = [step.curl for step in group.steps] or [group.code_sample or ""]
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
