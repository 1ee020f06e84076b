"""What is checked of a call: each check says in words what is not as promised."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from signalwire_compat import APIConnectionError, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.fault_server import FaultServer

from .losses import Result
from .scripts import SID
from .table import Fault

OUR_LOGGER = "signalwire_compat"
# A busy machine is slow; what hangs is much slower.
MARGIN_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a call returned or raised, and what it cost."""

    before: Mapping[str, Result]
    result: Result
    seconds: float
    peak_bytes: int
    requests: int
    connections: int
    executed: int


class Recorder(logging.Handler):
    """Keeps every record of every logger, down to debugging."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self._levels: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)

    def __enter__(self) -> Self:
        for name in ("", OUR_LOGGER):
            logger = logging.getLogger(name)
            self._levels[name] = logger.level
            logger.setLevel(logging.DEBUG)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        logging.getLogger().removeHandler(self)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


def problems_of(
    fault: Fault,
    call: Call,
    records: Sequence[logging.LogRecord],
    server: FaultServer,
    known: tuple[str, str, str],
) -> list[str]:
    """Say everything that is not as the row promises."""
    number, _, _ = known
    if isinstance(call.result, SignalWireError):
        result = [*_error_problems(fault, call.result, number)]
    elif isinstance(call.result, IncomingPhoneNumber):
        result = [*_number_problems(fault, call.result, number)]
    else:
        text = "".join(traceback.format_exception(call.result)[-3:])
        result = [f"{type(call.result).__name__} came through bare: {text}"]
    result += [
        f"the purchase before raised {before}"
        for before in call.before.values()
        if isinstance(before, Exception)
    ]
    secret = secret_problems(fault, call, records, known)
    return [*result, *_cost_problems(fault, call, server), *_log_problems(fault, records), *secret]


def secret_problems(
    fault: Fault, call: Call, records: Sequence[logging.LogRecord], known: tuple[str, str, str]
) -> list[str]:
    """Say where a piece of the token is shown: by the error, or in the log."""
    _, token, project = known
    pieces = _pieces(project, token)
    shown = [*_shown_by_log(records, everything=not fault.echoes)]
    if isinstance(call.result, SignalWireError):
        shown += _shown_by_error(call.result, locals_too=not fault.echoes)
    return [
        f"a piece of the secret is in {where}"
        for where, text in shown
        for short in [_without_filling(text)]
        if any(piece in short for piece in pieces)
    ]


def _without_filling(text: str) -> str:
    """Leave out what makes replies large: looking for each piece in megabytes takes long."""
    return text.replace("x" * 1000, "").replace(" " * 1000, "")


def _pieces(project: str, token: str) -> set[str]:
    """Cut the token, plain and as HTTP Basic has it, in pieces that nothing else holds."""
    known = len(base64.b64encode(f"{project}:".encode())) - 4
    pair = base64.b64encode(f"{project}:{token}".encode()).decode()[known:].rstrip("=")
    return {text[i : i + 6] for text in (token, pair) for i in range(len(text) - 5)}


def _cost_problems(fault: Fault, call: Call, server: FaultServer) -> Iterator[str]:
    longest = fault.at_most_seconds or fault.timeout + MARGIN_SECONDS
    if not fault.at_least_seconds <= call.seconds <= longest:
        yield f"took {call.seconds:.2f} s, not {fault.at_least_seconds} to {longest} s"
    if fault.memory_bytes and call.peak_bytes > fault.memory_bytes:
        yield f"took {call.peak_bytes} bytes of memory, more than {fault.memory_bytes}"
    if call.executed != fault.executed:
        yield f"the server executed {call.executed} purchases, not {fault.executed}"
    if not fault.fewest_requests <= call.requests <= fault.most_requests:
        yield f"the server saw {call.requests} requests, not {fault.requests}"
    if fault.connections not in (None, call.connections):
        yield f"the server saw {call.connections} connections, not {fault.connections}"
    if server.elsewhere and server.elsewhere.connections:
        yield "another server was connected to"


def _number_problems(fault: Fault, result: IncomingPhoneNumber, number: str) -> Iterator[str]:
    if fault.promise.kind is not None:
        yield f"bought, not {fault.promise.kind.__name__}"
        return
    if result.phone_number != number:
        yield f"the number is {result.phone_number}"
    if not result.sid or ("sid" not in fault.promise.members and result.sid not in (SID, "42", 42)):
        yield f"the SID is {result.sid!r}"
    yield from _member_problems(fault, result)


def _member_problems(fault: Fault, result: Any) -> Iterator[str]:
    for name, promised in fault.promise.members.items():
        value = getattr(result, name)
        if value != promised:
            yield f"{name} is {value!r}, not {promised!r}"


def _error_problems(fault: Fault, error: SignalWireError, number: str) -> Iterator[str]:
    promise = fault.promise
    if type(error) is not promise.kind:
        yield f"{type(error).__name__}: {error}"
        return
    if error.status != promise.status:
        yield f"the status is {error.status}, not {promise.status}"
    if promise.outcome_unknown not in (None, error.outcome_unknown):
        yield f"outcome_unknown is {error.outcome_unknown}"
    if promise.sid is not None and error.sid != (SID if promise.sid else None):
        yield f"sid is {error.sid!r}"
    if error.operation != "phone_numbers.purchase":
        yield f"operation is {error.operation!r}"
    if (error.arguments or {}).get("PhoneNumber") != number:
        yield f"arguments are {error.arguments!r}"
    if error.status is not None and not isinstance(error.content, bytes):
        yield f"content is {error.content!r}"
    if any(name != name.lower() for name in error.headers or {}):
        yield f"headers are {error.headers!r}"
    if number not in str(error) or "phone_numbers.purchase" not in str(error):
        yield f"the message names not what was tried: {error}"
    if len(str(error).splitlines()) > 2 or len(str(error)) > 1000:
        yield f"the message is too long: {str(error)[:300]!r}"
    if promise.kind is APIConnectionError and error.__cause__ is None:
        yield "there is no __cause__"
    yield from _member_problems(fault, error)
    yield from _twin_problems(error)


def _twin_problems(error: SignalWireError) -> Iterator[str]:
    for word, twin in (
        ("pickled", pickle.loads(pickle.dumps(error))),  # noqa: S301  # our own
        ("copied", copy.copy(error)),
        ("deeply copied", copy.deepcopy(error)),
    ):
        same = (str(twin), repr(vars(twin))) == (str(error), repr(vars(error)))
        if type(twin) is not type(error) or not same:
            yield f"is another when {word}"


def _shown_by_error(error: SignalWireError, *, locals_too: bool) -> Iterator[tuple[str, str]]:
    """Give what an error shows; a debugger that shows the locals of frames shows echoes, too."""
    attributes = {name: getattr(error, name) for name in dir(error) if not name.startswith("_")}
    yield "the attributes", repr(attributes)
    yield "the pickle", pickle.dumps(error).decode("latin-1")
    yield "the traceback", "".join(traceback.format_exception(error))
    summary = traceback.TracebackException.from_exception(error, capture_locals=locals_too)
    yield "the summary of the traceback", "".join(summary.format())
    cause: BaseException | None = error
    while cause is not None:
        shown = (str(cause), repr(cause), repr(vars(cause)), repr(cause.args))
        yield f"{type(cause).__name__}", " ".join(shown)
        cause = cause.__cause__ or cause.__context__


def _shown_by_log(
    records: Sequence[logging.LogRecord], *, everything: bool
) -> Iterator[tuple[str, str]]:
    """Give what records show; what other loggers make of an echo is not ours to promise."""
    formatter = logging.Formatter()
    for record in records:
        if everything or record.name.startswith(OUR_LOGGER):
            yield f"the log of {record.name}", f"{formatter.format(record)} {vars(record)!r}"


def _log_problems(fault: Fault, records: Sequence[logging.LogRecord]) -> Iterator[str]:
    warnings = [
        record.getMessage()
        for record in records
        if record.name.startswith(OUR_LOGGER) and record.levelno >= logging.WARNING
    ]
    drift = fault.promise.drift
    if len(warnings) > 1 or (drift == () and warnings):
        yield f"warned: {warnings}"
    if drift and (not warnings or any(pointer not in warnings[0] for pointer in drift)):
        yield f"warned {warnings}, not of {drift}"
