"""Faults of a connection that is used again: a purchase went well on it before."""

from __future__ import annotations

from tests.transport.fault_server import Peer, Script, Step

from ..scripts import BUY, CLOSE, HEALTHY, HEALTHY_TLS, KEEP, NUMBER_BODY, READ, RECEIPT, RESET, SEE, STALL, Text, chunked, failure, http, in_chunks, joined, pause, plain, purchased, send, tls
from ..table import STALLED_SECONDS, Connect, Fault, Promise, bought, broken, late, lost

IDLE = http(408, plain(""), "Connection: close")


def reused(name: str, server: str, *scripts: Script, promise: Promise | None = None, executed: int = 1, timeout: float = 10.0, connect: Connect = "http", idle_seconds: float = 0.1) -> Fault:
    """Make the row of a second purchase, a while after a first one that went well."""
    return Fault(name=name, server=server, scripts=scripts, promise=promise or bought(), executed=executed, timeout=timeout, connect=connect, before=1, idle_seconds=idle_seconds)


def then(*steps: Step) -> Script:
    """Answer well, then do these steps while the connection is idle."""
    return (*BUY, send(RECEIPT), *steps)


def leaves(text: Text, reply: Text = RECEIPT) -> Script:
    """Answer well, with this behind the reply in the same packet."""
    return (*BUY, send(joined(reply, text)), KEEP)


def once_more(*steps: Step, connect: Connect = "http") -> tuple[Fault, ...]:
    """Make the rows of a server that leaves a second reply in every way that there is."""
    secured = (tls(),) if connect == "https" else ()
    over, healthy = (" over TLS", HEALTHY_TLS) if secured else ("", HEALTHY)
    return tuple(
        reused(f"{name}{'-over-tls' if secured else ''}", f"{server}{over}.", (*secured, *script), healthy, connect=connect)
        for name, server, script in (
            ("reply-in-chunks-twice", "Sends its reply twice, both in chunks", leaves(CHUNKS, CHUNKS)),
            ("reply-in-chunks-and-another", "Sends its reply in chunks, and another one with a length behind it", leaves(RECEIPT, CHUNKS)),
            ("reply-and-another-in-chunks", "Sends another reply behind its own, in chunks", leaves(CHUNKS)),
            ("reply-of-60-kb-twice", "Sends its reply of 60 kB twice", leaves(MEDIUM, MEDIUM)),
            ("reply-of-64-kib-and-another", "Sends another reply behind its own, which has 65,536 bytes", leaves(RECEIPT, EXACT)),
            ("reply-of-two-lengths-and-another", "Sends a reply with two lengths, one behind a bare line feed, and another one", leaves(plain(""), TWO_LENGTHS)),
            ("reply-of-100-kb-and-another", "Sends another reply behind its own, which has 100 kB", leaves(RECEIPT, LARGE)),
            ("reply-of-a-megabyte-in-chunks-and-another", "Sends another reply behind its own, which has a megabyte of chunks", leaves(RECEIPT, HUGE)),
            ("reply-and-another-at-once", "Sends another reply right after its own", (*BUY, send(RECEIPT), send(RECEIPT), KEEP)),
            ("reply-and-half-of-another", "Sends the first bytes of another reply behind its own, and the rest a little later", (*BUY, send(joined(RECEIPT, HALF)), pause(0.03), send(REST), KEEP)),
            ("reply-and-one-byte", "Sends one byte behind its reply", leaves(plain("H"))),
            ("reply-with-an-interim-one-and-another", "Says 103 before its reply, and sends another one behind it", leaves(RECEIPT, joined(plain("HTTP/1.1 103 Wait\r\n\r\n"), RECEIPT))),
        )
    )


def exact(peer: Peer) -> bytes:
    """Fill a reply up to as many bytes as httpcore reads at a time."""
    size = len(MEDIUM(peer))
    return http(201, purchased(padding="x" * (60_000 + 65_536 - size)))(peer)


def two_lengths(peer: Peer) -> bytes:
    """Say a reply in chunks that by its length holds the next one, too."""
    body = chunked(NUMBER_BODY)(peer) + RECEIPT(peer)
    head = f"HTTP/1.1 201 Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\n"
    return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body


EXACT: Text = exact
TWO_LENGTHS: Text = two_lengths
CHUNKS = in_chunks(NUMBER_BODY)
HALF: Text = lambda peer: RECEIPT(peer)[:30]  # noqa: E731  # a text like the others
REST: Text = lambda peer: RECEIPT(peer)[30:]  # noqa: E731  # a text like the others
MEDIUM, LARGE = (http(201, purchased(padding="x" * size)) for size in (60_000, 100_000))
HUGE = in_chunks(purchased(padding="x" * 1_000_000))
AGAIN = http(201, purchased(phone_number="+13105550101"))


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
    *once_more(),
    *once_more(connect="https"),
    reused("reply-twice-over-tls", "Sends its reply twice in one record of TLS.", (tls(), *leaves(RECEIPT)), HEALTHY_TLS, connect="https"),
    reused("reply-twice-with-a-pause-over-tls", "Sends its reply again a little later, over TLS.", (tls(), *then(pause(0.03), send(RECEIPT), KEEP)), HEALTHY_TLS, connect="https"),
    reused("closed-while-idle-over-tls", "Closes the connection while it is idle, over TLS.", (tls(), *then(CLOSE)), HEALTHY_TLS, connect="https"),
    reused("reply-of-100-kb-and-reused", "Sends a reply of 100 kB, and keeps the connection.", (*BUY, send(LARGE), KEEP), HEALTHY),
    reused("previous-reply-again", "Executes the second request, and answers with the reply of the first one.", HEALTHY, (*BUY, send(AGAIN), KEEP), promise=broken(sid=True, note="Both numbers are named.")),
    reused(
        "previous-reply-again-in-chunks",
        "Executes the second request, and answers with the reply of the first one, in chunks.",
        HEALTHY,
        (*BUY, send(in_chunks(purchased(phone_number="+13105550101"))), KEEP),
        promise=broken(sid=True),
    ),
    reused("http-1.0-kept", "Answers in HTTP/1.0 with `keep-alive`.", (*BUY, send(http(201, NUMBER_BODY, "Connection: keep-alive", version="HTTP/1.0")), KEEP), HEALTHY),
)
