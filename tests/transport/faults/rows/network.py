"""Faults of the network: names, connections, TLS, and time."""

from __future__ import annotations

import os
import socket

from signalwire_compat import APIConnectionError, APITimeoutError, UnprocessableEntityError

from tests.transport.fault_server import Peer

from ..scripts import BUY, CLOSE, HEAD, HEALTHY, HEALTHY_TLS, KEEP, NUMBER_BODY, READ, RECEIPT, RESET, SEE, STALL, does, drip, failure, flood, head_of, pause, plain, send, tls, up_to
from ..table import STALLED_SECONDS, Fault, Promise, bought, late, lost, refused, unsent

BEFORE_SID = up_to(RECEIPT, '"phone_number"')
AFTER_SID = up_to(RECEIPT, '"sms_application_sid"')
ERROR = failure(422)
HEADERS = plain(" Created\r\nX-Padding: " + "x" * 1000)
HALF_ERROR = up_to(ERROR, '"message"')
EITHER = Promise(kind=APIConnectionError, outcome_unknown=None, note="Chance decides whether something was sent, and so whether it is retried.")


def drip_raw(peer: Peer, content: bytes) -> None:
    """Send bytes below TLS, one at a time."""
    with socket.socket(fileno=os.dup(peer.connection.fileno())) as raw:
        for byte in content:
            raw.sendall(bytes([byte]))
            peer.pause(0.05)


def IN_THE_CLEAR(peer: Peer) -> None:  # noqa: N802  # a step like the others
    """Send a reply below TLS."""
    with socket.socket(fileno=os.dup(peer.connection.fileno())) as raw:
        raw.sendall(RECEIPT(peer))


ENDS = (("reset", "resets the connection", RESET), ("close", "closes the connection", CLOSE))

BEFORE_SENDING = (
    Fault(name="connection-refused", server="No server listens on the port.", scripts=(HEALTHY,), promise=unsent(note="Retried."), connect="refused", max_retries=1, at_least_seconds=0.2, executed=0, requests=0),
    Fault(
        name="connection-never-accepted",
        server="The queue of the port is full: connecting takes for ever.",
        scripts=(HEALTHY,),
        promise=unsent(APITimeoutError),
        connect="full",
        timeout=STALLED_SECONDS,
        executed=0,
        requests=0,
    ),
    Fault(name="name-unknown", server="The name of the host does not resolve.", scripts=(HEALTHY,), promise=unsent(note="Retried."), connect="name", max_retries=1, at_least_seconds=0.2, executed=0, requests=0),
    Fault(name="name-resolved-too-late", server="The resolver does not answer in time.", scripts=(HEALTHY,), promise=unsent(APITimeoutError), connect="slow-name", timeout=STALLED_SECONDS, executed=0, requests=0),
    Fault(name="tls-healthy", server="Nothing is wrong, over TLS.", scripts=(HEALTHY_TLS,), promise=bought(), connections=1, connect="https"),
    Fault(
        name="tls-handshake-reset",
        server="Resets every connection in the TLS handshake.",
        scripts=does(Peer.wait_for_bytes, RESET),
        promise=unsent(note="Retried."),
        connections=2,
        connect="https",
        max_retries=1,
        executed=0,
        requests=0,
    ),
    Fault(name="tls-handshake-reset-once", server="Resets the first connection in the TLS handshake.", scripts=((Peer.wait_for_bytes, RESET), HEALTHY_TLS), promise=bought("Retried."), connections=2, connect="https"),
    Fault(name="tls-handshake-closed-once", server="Closes the first connection in the TLS handshake.", scripts=((Peer.wait_for_bytes, CLOSE), HEALTHY_TLS), promise=bought("Retried."), connections=2, connect="https"),
    Fault(name="tls-handshake-stalls", server="Never answers the TLS handshake.", scripts=does(STALL), promise=unsent(APITimeoutError), connect="https", timeout=STALLED_SECONDS, executed=0, requests=0),
    Fault(
        name="https-to-an-http-server",
        server="Speaks plain HTTP on a port that the client takes for TLS.",
        scripts=does(Peer.wait_for_bytes, send(failure(400)), CLOSE),
        promise=unsent(),
        connections=1,
        connect="https",
        max_retries=0,
        executed=0,
        requests=0,
    ),
    Fault(name="http-to-a-tls-server", server="Speaks TLS on a port that the client takes for plain HTTP.", scripts=does(tls(), *HEALTHY), promise=lost(), connections=1, executed=0, requests=0),
    Fault(
        name="certificate-of-a-stranger",
        server="Shows a certificate of an unknown authority.",
        scripts=does(tls("stranger"), *HEALTHY),
        promise=unsent(note="Not retried."),
        connections=1,
        connect="https",
        executed=0,
        requests=0,
    ),
    Fault(
        name="certificate-of-a-stranger-by-default",
        server="Shows a certificate of an unknown authority, to a client with default settings.",
        scripts=does(tls("stranger"), *HEALTHY),
        promise=unsent(note="Not retried."),
        connections=1,
        connect="https-stock",
        executed=0,
        requests=0,
        heals=False,
    ),
    Fault(
        name="certificate-of-another-name",
        server="Shows a certificate for another host.",
        scripts=does(tls("other-name"), *HEALTHY),
        promise=unsent(note="Not retried."),
        connections=1,
        connect="https",
        executed=0,
        requests=0,
    ),
    Fault(
        name="tls-handshake-drips",
        server="Announces an answer to the TLS handshake, and sends a byte of it every 50 ms.",
        scripts=does(Peer.wait_for_bytes, drip(plain(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(500)))),
        promise=unsent(APITimeoutError),
        connect="https",
        timeout=STALLED_SECONDS,
        executed=0,
        requests=0,
    ),
    Fault(
        name="tls-wants-a-certificate",
        server="Wants a certificate of the client, and says so when TLS 1.3 is over for the client.",
        scripts=does(tls("wants-certificate"), *HEALTHY),
        promise=Promise(kind=APIConnectionError, outcome_unknown=True),
        connections=1,
        connect="https",
        executed=0,
        requests=0,
    ),
    Fault(name="tls-then-plain-text", server="Executes, and answers in plain text in the middle of TLS.", scripts=does(tls(), *BUY, IN_THE_CLEAR, CLOSE), promise=lost(), connect="https"),
    Fault(name="tls-cut-off", server="Executes, and closes in the body without a goodbye of TLS.", scripts=does(tls(), *BUY, send(AFTER_SID), pause(0.02), RESET), promise=lost(201, sid=True), connect="https"),
    Fault(name="tls-stalls", server="Executes, and never answers, over TLS.", scripts=does(tls(), *BUY, STALL), promise=late(), connect="https", timeout=STALLED_SECONDS),
    Fault(
        name="tls-drips",
        server="Executes, and sends a byte of the body every 50 ms, each in a record of TLS.",
        scripts=does(tls(), *BUY, send(head_of(RECEIPT)), drip(NUMBER_BODY), CLOSE),
        promise=late(201),
        connect="https",
        timeout=STALLED_SECONDS,
    ),
    Fault(
        name="tls-record-drips",
        server="Executes, and sends a record of TLS a byte at a time.",
        scripts=does(tls(), *BUY, lambda peer: drip_raw(peer, b"\x17\x03\x03\x04\x00" + bytes(500)), CLOSE),
        promise=late(),
        connect="https",
        timeout=STALLED_SECONDS,
    ),
    Fault(name="certificate-expired", server="Shows a certificate that has expired.", scripts=does(tls("expired"), *HEALTHY), promise=unsent(note="Not retried."), connections=1, connect="https", executed=0, requests=0),
)

AT_EACH_STAGE = tuple(
    fault
    for word, verb, end in ENDS
    for fault in (
        Fault(name=f"{word}-on-the-first-byte", server=f"{verb.capitalize()} on the first byte of the request.", scripts=does(SEE, end), promise=lost(), executed=0),
        Fault(name=f"{word}-after-the-headers-of-the-request", server=f"{verb.capitalize()} after the headers of the request.", scripts=does(HEAD, end), promise=lost(), executed=0),
        Fault(name=f"{word}-instead-of-executing", server=f"{verb.capitalize()} after the whole request, without executing it.", scripts=does(READ, end), promise=lost(), executed=0),
        Fault(name=f"{word}-after-executing", server=f"Executes, then {verb} without a word.", scripts=does(*BUY, end), promise=lost()),
        Fault(name=f"{word}-in-the-status-line", server=f"Executes, then {verb} in the status line.", scripts=does(*BUY, send(plain("HTTP/1.1 2")), pause(0.02), end), promise=lost()),
        Fault(name=f"{word}-in-the-headers", server=f"Executes, then {verb} in the headers of the reply.", scripts=does(*BUY, send(up_to(RECEIPT, "Content-Type")), pause(0.02), end), promise=lost()),
        Fault(name=f"{word}-before-the-body", server=f"Executes, then {verb} after the headers of the reply.", scripts=does(*BUY, send(head_of(RECEIPT)), pause(0.02), end), promise=lost(201)),
        Fault(name=f"{word}-in-the-body", server=f"Executes, then {verb} in the body, before the SID.", scripts=does(*BUY, send(BEFORE_SID), pause(0.02), end), promise=lost(201)),
        Fault(name=f"{word}-in-the-body-after-the-sid", server=f"Executes, then {verb} in the body, after the SID.", scripts=does(*BUY, send(AFTER_SID), pause(0.02), end), promise=lost(201, sid=True)),
        Fault(
            name=f"{word}-in-the-body-of-an-error", server=f"Refuses with 422, then {verb} in the body.", scripts=does(READ, send(HALF_ERROR), pause(0.02), end), promise=refused(422, UnprocessableEntityError), executed=0
        ),
        Fault(name=f"{word}-at-once", server=f"{verb.capitalize()} as soon as it is there.", scripts=does(end), promise=EITHER, executed=0, requests=0),
    )
)

TIME = (
    Fault(name="stall-in-the-request", server="Reads the first bytes of the request, then nothing any more.", scripts=does(SEE, STALL), promise=late(), timeout=STALLED_SECONDS, executed=0),
    Fault(name="stall-after-executing", server="Executes, and never answers.", scripts=does(*BUY, STALL), promise=late(), timeout=STALLED_SECONDS),
    Fault(name="stall-in-the-status-line", server="Executes, and stops in the status line.", scripts=does(*BUY, send(plain("HTTP/1.1 2")), STALL), promise=late(), timeout=STALLED_SECONDS),
    Fault(name="stall-in-the-headers", server="Executes, and stops in the headers of the reply.", scripts=does(*BUY, send(up_to(RECEIPT, "Content-Type")), STALL), promise=late(), timeout=STALLED_SECONDS),
    Fault(name="stall-before-the-body", server="Executes, and stops after the headers of the reply.", scripts=does(*BUY, send(head_of(RECEIPT)), STALL), promise=late(201), timeout=STALLED_SECONDS),
    Fault(name="stall-in-the-body", server="Executes, and stops in the body, before the SID.", scripts=does(*BUY, send(BEFORE_SID), STALL), promise=late(201), timeout=STALLED_SECONDS),
    Fault(name="stall-in-the-body-after-the-sid", server="Executes, and stops in the body, after the SID.", scripts=does(*BUY, send(AFTER_SID), STALL), promise=late(201, sid=True), timeout=STALLED_SECONDS),
    Fault(
        name="stall-in-the-body-of-an-error",
        server="Refuses with 422, and stops in the body.",
        scripts=does(READ, send(HALF_ERROR), STALL),
        promise=refused(422, UnprocessableEntityError),
        timeout=STALLED_SECONDS,
        executed=0,
    ),
    Fault(
        name="stall-after-an-interim-reply",
        server="Executes, says 100 Continue, and then nothing any more.",
        scripts=does(*BUY, send(plain("HTTP/1.1 100 Continue\r\n\r\n")), STALL),
        promise=late(),
        timeout=STALLED_SECONDS,
    ),
    Fault(name="drip-of-the-status-line", server="Executes, and sends a byte of the status line every 50 ms.", scripts=does(*BUY, drip(RECEIPT), CLOSE), promise=late(), timeout=STALLED_SECONDS),
    Fault(name="drip-of-the-headers", server="Executes, and sends a byte of the headers every 50 ms.", scripts=does(*BUY, send(up_to(RECEIPT, "201")), drip(HEADERS), CLOSE), promise=late(), timeout=STALLED_SECONDS),
    Fault(name="drip-of-the-body", server="Executes, and sends a byte of the body every 50 ms.", scripts=does(*BUY, send(head_of(RECEIPT)), drip(NUMBER_BODY), CLOSE), promise=late(201), timeout=STALLED_SECONDS),
    Fault(
        name="drip-of-the-body-after-the-sid",
        server="Executes, and sends a byte of the body every 50 ms, after the SID.",
        scripts=does(*BUY, send(AFTER_SID), drip(plain(" " * 1000)), CLOSE),
        promise=late(201, sid=True),
        timeout=STALLED_SECONDS,
    ),
    Fault(
        name="drip-of-the-body-of-an-error",
        server="Refuses with 422, and sends a byte of the body every 50 ms.",
        scripts=does(READ, send(HALF_ERROR), drip(plain(" " * 1000)), CLOSE),
        promise=refused(422, UnprocessableEntityError),
        timeout=STALLED_SECONDS,
        executed=0,
    ),
    Fault(
        name="drip-of-interim-replies", server="Executes, and says 100 Continue every 20 ms, for ever.", scripts=does(*BUY, flood(plain("HTTP/1.1 100 Continue\r\n\r\n"), 0.02)), promise=late(), timeout=STALLED_SECONDS
    ),
    Fault(name="slow-and-whole", server="Sends the reply 100 bytes at a time, with pauses: slow, and in time.", scripts=does(*BUY, drip(RECEIPT, 0.01, 100), KEEP), promise=bought()),
    Fault(name="late-and-in-time", server="Thinks for a while, then answers in time.", scripts=does(*BUY, pause(0.3), send(RECEIPT), KEEP), promise=bought()),
)

FAULTS = (*BEFORE_SENDING, *AT_EACH_STAGE, *TIME)
