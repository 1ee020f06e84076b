"""Faults of a connection that is used again: a purchase went well on it before."""

from __future__ import annotations

from tests.transport.fault_server import Script, Step

from ..scripts import BUY, CLOSE, HEALTHY, KEEP, NUMBER_BODY, READ, RECEIPT, RESET, SEE, STALL, Text, failure, http, joined, pause, plain, send
from ..table import STALLED_SECONDS, Fault, Promise, bought, late, lost

IDLE = http(408, plain(""), "Connection: close")


def reused(name: str, server: str, *scripts: Script, promise: Promise | None = None, executed: int = 1, timeout: float = 10.0) -> Fault:
    """Make the row of a second purchase, a while after a first one that went well."""
    return Fault(name=name, server=server, scripts=scripts, promise=promise or bought(), executed=executed, timeout=timeout, before=1, idle_seconds=0.1)


def then(*steps: Step) -> Script:
    """Answer well, then do these steps while the connection is idle."""
    return (*BUY, send(RECEIPT), *steps)


def leaves(text: Text) -> Script:
    """Answer well, with this behind the reply in the same packet."""
    return (*BUY, send(joined(RECEIPT, text)), KEEP)


FAULTS = (
    reused("kept-and-reused", "Keeps the connection.", HEALTHY),
    reused("closed-while-idle", "Closes the connection while it is idle.", then(CLOSE), HEALTHY),
    reused("reset-while-idle", "Resets the connection while it is idle.", then(pause(0.03), RESET), HEALTHY),
    reused("closed-as-announced", "Says `Connection: close`, and closes.", (*BUY, send(http(201, NUMBER_BODY, "Connection: close")), CLOSE), HEALTHY),
    reused("kept-although-announced", "Says `Connection: close`, and keeps the connection.", (*BUY, send(http(201, NUMBER_BODY, "Connection: close")), KEEP), HEALTHY),
    reused("keep-alive-of-no-time", "Says `Keep-Alive: timeout=0`, and closes.", (*BUY, send(http(201, NUMBER_BODY, "Connection: keep-alive", "Keep-Alive: timeout=0")), CLOSE), HEALTHY),
    reused("closed-on-the-second-request", "Closes when the second request comes in.", HEALTHY, (SEE, CLOSE), promise=lost(), executed=0),
    reused("reset-on-the-second-request", "Resets when the second request comes in.", HEALTHY, (SEE, RESET), promise=lost(), executed=0),
    reused("closed-after-the-second-request", "Reads the second request, and closes without executing it.", HEALTHY, (READ, CLOSE), promise=lost(), executed=0),
    reused("second-request-executed-and-closed", "Executes the second request, and closes.", HEALTHY, (*BUY, CLOSE), promise=lost()),
    reused("second-request-executed-and-reset", "Executes the second request, and resets.", HEALTHY, (*BUY, RESET), promise=lost()),
    reused("second-request-stalls", "Executes the second request, and never answers.", HEALTHY, (*BUY, STALL), promise=late(), timeout=STALLED_SECONDS),
    reused("timeout-of-an-idle-connection", "Says 408 on the idle connection, and closes.", then(pause(0.03), send(IDLE), CLOSE), HEALTHY),
    reused("timeout-of-an-idle-connection-kept", "Says 408 on the idle connection, and keeps it.", then(pause(0.03), send(IDLE), KEEP), HEALTHY),
    reused("reply-twice", "Sends its reply twice.", leaves(RECEIPT), HEALTHY),
    reused("reply-twice-with-a-pause", "Sends its reply again a little later.", then(pause(0.03), send(RECEIPT), KEEP), HEALTHY),
    reused("reply-and-a-refusal", "Sends a 422 behind its reply.", leaves(failure(422)), HEALTHY),
    reused("reply-and-garbage", "Sends garbage behind its reply.", leaves(plain("garbage")), HEALTHY),
    reused("reply-and-an-empty-line", "Sends an empty line behind its reply.", leaves(plain("\r\n")), HEALTHY),
    reused("reply-and-an-interim-reply", "Sends 100 Continue behind its reply.", leaves(plain("HTTP/1.1 100 Continue\r\n\r\n")), HEALTHY),
    reused("http-1.0-kept", "Answers in HTTP/1.0 with `keep-alive`.", (*BUY, send(http(201, NUMBER_BODY, "Connection: keep-alive", version="HTTP/1.0")), KEEP), HEALTHY),
)
