"""What is tried again, when, and how often; and what never is."""

from __future__ import annotations

import datetime
import json
from email.utils import format_datetime
from typing import Any

from signalwire_compat import RateLimitError, ServerError

from tests.transport.fault_server import Peer, Script

from ..scripts import BUY, CLOSE, HEALTHY, KEEP, READ, RESET, STALL, Text, failure, http, plain, send
from ..table import Fault, Promise, bought, late, lost, refused

LIMITED = refused(429, RateLimitError)
UNAVAILABLE = refused(503, ServerError, note="Not executed.")


def declines(status: int, *headers: str | Text) -> Script:
    """Answer with this status and execute nothing."""
    return (READ, send(failure(status, None, *headers)), KEEP)


def after(seconds: float) -> Text:
    """Say Retry-After with a date that is this far from now."""

    def text(_: Peer) -> bytes:
        date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
        return f"Retry-After: {format_datetime(date, usegmt=True)}".encode()

    return text


def once(name: str, server: str, script: Script, at_least_seconds: float = 0.0) -> Fault:
    """Make the row of a server that declines the first request and executes the second.

    A client that is told no time waits some of its own.
    """
    return Fault(name=name, server=f"{server}, then executes.", scripts=(script, HEALTHY), promise=bought("Retried once."), requests=2, at_least_seconds=at_least_seconds)


def at_once(name: str, server: str, script: Script, promise: Promise, timeout: float = 30.0) -> Fault:
    """Make the row of a server that asks for more patience than there is."""
    return Fault(name=name, server=server, scripts=(script, HEALTHY), promise=promise, executed=0, timeout=timeout, at_most_seconds=2.0)


ZERO = "Retry-After: 0"
DECLINED = {"code": 21401, "message": "no such number"}


def cached(name: str, server: str, body: Text, *headers: str, **options: Any) -> Fault:
    """Make the row of a cache that answers 503 with Retry-After after the server behind it has executed."""
    script = (*BUY, send(http(503, body, *(headers or (ZERO,)), **options)), KEEP)
    return Fault(
        name=f"executed-and-503-{name}",
        server=f"Executes, and a cache in front answers 503 with Retry-After and {server}.",
        scripts=(script, HEALTHY),
        promise=refused(503, ServerError, unknown=True, note="Not repeated."),
    )


def in_json(*members: Any) -> Text:
    """Say the first value as JSON."""
    return plain(json.dumps(members[0]))


CACHES = (
    cached(
        "of-varnish", "the page of Varnish", plain("<html><h1>Error 503 Backend fetch failed</h1></html>"), "Server: Varnish", "X-Varnish: 32770", "Retry-After: 5", reason="Backend fetch failed", content_type="text/html"
    ),
    cached("in-nothing", "nothing", plain("")),
    cached("in-json", "JSON of its own", in_json({"error": "Backend fetch failed"})),
    cached("and-a-message", "a message without a code", in_json({"message": "Service Unavailable"})),
    cached("and-a-code-alone", "a known code without a message", in_json({"code": 21401})),
    cached("and-an-unknown-code", "a code that nobody knows", in_json({"code": 503, "message": "Service Unavailable"})),
    cached("and-the-code-of-a-failure", "the provider's code for a failure of its own", in_json({"code": 20504, "message": "failed"})),
    cached("in-a-list", "the provider's error object in a list", in_json([DECLINED])),
    cached("cut-off", "half of the provider's error object", plain(json.dumps(DECLINED)[:-2])),
    cached("and-a-date", "a date in it, in HTML", plain("<html>"), "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"),
)
OWN_WAIT = 0.2
GOOD = (
    once("limited-once", "Answers 429 without Retry-After", declines(429), OWN_WAIT),
    once("limited-once-with-zero", "Answers 429 with `Retry-After: 0`", declines(429, ZERO)),
    once("limited-once-with-seconds", "Answers 429 with `Retry-After: 1`", declines(429, "Retry-After: 1"), 1.0),
    once("limited-once-with-a-date", "Answers 429 with a date two seconds ahead in Retry-After", declines(429, after(2)), 0.9),
    once("limited-once-with-a-past-date", "Answers 429 with a date of yesterday in Retry-After", declines(429, after(-86400))),
    once("limited-once-and-closed", "Answers 429 with `Connection: close`", (READ, send(failure(429, None, ZERO, "Connection: close")), CLOSE)),
    once("limited-once-in-html", "Answers 429 with HTML", (READ, send(http(429, plain("<html>"), ZERO)), KEEP)),
    once("limited-once-in-nothing", "Answers 429 with nothing", (READ, send(http(429, plain(""), ZERO)), KEEP)),
    once("limited-once-and-cut-off", "Answers 429 and closes in the body", (READ, send(http(429, plain("{"), ZERO, length="500")), CLOSE)),
    *(
        once(f"limited-once-with-{name}", f"Answers 429 with `Retry-After: {value}`", declines(429, f"Retry-After: {value}"), wait)
        for name, value, wait in (
            ("a-negative", "-1", OWN_WAIT),
            ("a-fraction", "0.1", 0.1),
            ("a-word", "soon", OWN_WAIT),
            ("nan", "nan", OWN_WAIT),
            ("nothing", "", OWN_WAIT),
            ("an-impossible-date", "Fri, 31 Feb 2026 25:61:00 GMT", OWN_WAIT),
        )
    ),
    once("limited-once-with-two", "Answers 429 with two Retry-Afters", declines(429, ZERO, ZERO)),
    once("unavailable-once-with-zero", "Answers 503 with `Retry-After: 0`", declines(503, ZERO)),
    once("unavailable-once-with-seconds", "Answers 503 with `Retry-After: 1`", declines(503, "Retry-After: 1"), 1.0),
    once("unavailable-once-with-a-date", "Answers 503 with a date two seconds ahead in Retry-After", declines(503, after(2)), 0.9),
    once("unavailable-once-with-a-past-date", "Answers 503 with a date of yesterday in Retry-After", declines(503, after(-86400))),
)

BAD = (
    Fault(name="limited-for-ever", server="Answers 429 to everything.", scripts=(declines(429, ZERO),), promise=refused(429, RateLimitError, note="Retried twice."), executed=0, requests=3),
    Fault(
        name="unavailable-for-ever",
        server="Answers 503 with `Retry-After: 0` to everything.",
        scripts=(declines(503, ZERO),),
        promise=refused(503, ServerError, note="Retried twice. Not executed."),
        executed=0,
        requests=3,
    ),
    Fault(
        name="limited-without-retries",
        server="Answers 429, to a client with `max_retries=0`.",
        scripts=(declines(429, ZERO), HEALTHY),
        promise=refused(429, RateLimitError, note="Not retried."),
        executed=0,
        max_retries=0,
    ),
    Fault(
        name="limited-until-time-is-over",
        server="Answers 429 to everything, to a client with `max_retries=100` and little time.",
        scripts=(declines(429),),
        promise=refused(429, RateLimitError, note="Retried while there is time."),
        executed=0,
        requests=(1, 20),
        max_retries=100,
        timeout=0.8,
    ),
    at_once("limited-for-two-minutes", "Answers 429 with `Retry-After: 120`.", declines(429, "Retry-After: 120"), refused(429, RateLimitError, note="At once."), 300.0),
    at_once("limited-for-longer-than-there-is", "Answers 429 with `Retry-After: 20`, to a client with `timeout=10`.", declines(429, "Retry-After: 20"), refused(429, RateLimitError, note="At once."), 10.0),
    at_once("limited-until-a-far-date", "Answers 429 with a date of tomorrow in Retry-After.", declines(429, after(86400)), refused(429, RateLimitError, note="At once.")),
    at_once("limited-for-10-to-the-20-seconds", "Answers 429 with 21 digits in Retry-After.", declines(429, "Retry-After: 1" + "0" * 20), refused(429, RateLimitError, note="At once.")),
    at_once("limited-for-5000-digits", "Answers 429 with 5,000 digits in Retry-After.", declines(429, "Retry-After: " + "9" * 5000), refused(429, RateLimitError, note="At once.")),
    at_once("unavailable-for-two-minutes", "Answers 503 with `Retry-After: 120`.", declines(503, "Retry-After: 120"), refused(503, ServerError, note="At once. Not executed.")),
    Fault(
        name="unavailable-with-a-word",
        server="Executes, and answers 503 with `Retry-After: soon`.",
        scripts=((*BUY, send(failure(503, None, "Retry-After: soon")), KEEP), HEALTHY),
        promise=refused(503, ServerError, unknown=True, note="Not repeated."),
    ),
    Fault(name="limited-then-reset", server="Answers 429, then executes and resets.", scripts=(declines(429, ZERO), (*BUY, RESET), HEALTHY), promise=lost(note="Retried once."), requests=2),
    Fault(
        name="limited-then-failed",
        server="Answers 429, then executes and answers 500.",
        scripts=(declines(429, ZERO), (*BUY, send(failure(500)), KEEP), HEALTHY),
        promise=refused(500, ServerError, unknown=True, note="Retried once."),
        requests=2,
    ),
    Fault(name="limited-then-stalls", server="Answers 429, then executes and never answers.", scripts=(declines(429, ZERO), (*BUY, STALL)), promise=late(note="Retried once."), requests=2, timeout=1.0),
    *(
        Fault(name=f"{name}-then-well", server=f"{server}; a second request would go well.", scripts=(script, HEALTHY), promise=promise)
        for name, server, script, promise in (
            ("executed-and-reset", "Executes, and resets", (*BUY, RESET), lost(note="Not repeated.")),
            ("executed-and-closed", "Executes, and closes", (*BUY, CLOSE), lost(note="Not repeated.")),
            *((f"executed-and-{status}", f"Executes, and answers {status}", (*BUY, send(failure(status)), KEEP), refused(status, ServerError, unknown=True, note="Not repeated.")) for status in (500, 502, 503, 504, 520)),
        )
    ),
)

FAULTS = (*GOOD, *BAD, *CACHES)
