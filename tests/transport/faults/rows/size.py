"""Faults of size: replies that are too large, and bombs, in bounded memory."""

from __future__ import annotations

import functools
import gzip
import zlib

from signalwire_compat import UnprocessableEntityError

from tests.transport.fault_server import Peer

from ..scripts import BUY, CLOSE, KEEP, NUMBER_BODY, READ, Text, answers, chunked, does, failure, flood, http, in_chunks, plain, purchased, send, up_to
from ..table import STALLED_SECONDS, Fault, Promise, bought, broken, late, lost, refused

MEGABYTE = 1_000_000
MEMORY_BYTES = 60 * MEGABYTE
LIMIT = 100_000


def padded(size: int) -> Text:
    """Say a number that is this many bytes long; the SID is at the start."""

    def text(peer: Peer) -> bytes:
        short = len(purchased(padding="")(peer))
        return purchased(padding="x" * (size - short))(peer)

    return text


@functools.cache
def bomb() -> bytes:
    """Compress 200 MB of nothing, a megabyte at a time."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(200)) + packer.flush()


def large(name: str, server: str, text: Text, promise: Promise, *, limit: int | None = None, execute: bool = True, close: bool = False) -> Fault:
    """Make the row of a server that answers with a lot."""
    end = CLOSE if close else KEEP
    return Fault(name=name, server=server, scripts=answers(text, last=end) if execute else does(READ, send(text), end), promise=promise, executed=1 if execute else 0, max_reply_bytes=limit, memory_bytes=MEMORY_BYTES)


START = up_to(NUMBER_BODY, '"sms_application_sid"')
BODIES = (
    large("nine-megabytes", "Sends a number of 9 MB.", http(201, padded(9 * MEGABYTE)), bought()),
    large("eleven-megabytes", "Sends a number of 11 MB.", http(201, padded(11 * MEGABYTE)), broken(sid=True)),
    large("eleven-megabytes-without-length", "Sends a number of 11 MB without a length.", http(201, padded(11 * MEGABYTE), length=None), broken(sid=True), close=True),
    large("eleven-megabytes-in-chunks", "Sends a number of 11 MB in chunks.", in_chunks(padded(11 * MEGABYTE)), broken(sid=True)),
    large("at-the-limit", "Sends a number that is as long as `max_reply_bytes`.", http(201, padded(LIMIT)), bought(), limit=LIMIT),
    large("a-byte-over-the-limit", "Sends a number that is a byte longer than `max_reply_bytes`.", http(201, padded(LIMIT + 1)), broken(sid=True), limit=LIMIT),
    large("eleven-megabytes-of-an-error", "Refuses with 422 and 11 MB.", failure(422, {"code": 21401, "message": "x" * 11 * MEGABYTE}), refused(422, UnprocessableEntityError), execute=False),
    large("gzip-bomb", "Sends 200 MB, in 200 kB of gzip.", http(201, lambda _: bomb(), "Content-Encoding: gzip"), broken()),
    large("gzip-bomb-in-gzip", "Sends 200 MB, compressed twice.", http(201, lambda _: gzip.compress(bomb()), "Content-Encoding: gzip, gzip"), broken()),
    large("gzip-bomb-of-many-members", "Sends 200 MB, a megabyte in each member of the gzip.", http(201, lambda _: gzip.compress(b" " * MEGABYTE) * 200, "Content-Encoding: gzip"), broken()),
    large("gzip-bomb-in-an-error", "Refuses with 422 and 200 MB, in 200 kB of gzip.", failure(422, lambda _: bomb(), "Content-Encoding: gzip"), refused(422, UnprocessableEntityError), execute=False),
    large("many-unknown-members", "Sends a number with 20,000 unknown members.", http(201, lambda peer: purchased(**{f"x{i}": i for i in range(20_000)})(peer)), bought(drift=None)),
    Fault(
        name="endless-body",
        server="Sends a body without a length and without an end.",
        scripts=does(*BUY, send(http(201, START, length=None)), flood(plain(" " * 65536))),
        promise=broken(sid=True),
        memory_bytes=MEMORY_BYTES,
    ),
    Fault(
        name="endless-chunks", server="Sends chunks without an end.", scripts=does(*BUY, send(in_chunks(START, end="")), flood(chunked(plain(" " * 65536), end=""))), promise=broken(sid=True), memory_bytes=MEMORY_BYTES
    ),
    Fault(
        name="endless-body-of-an-error",
        server="Refuses with 422, and sends a body without an end.",
        scripts=does(READ, send(http(422, plain("{"), length=None)), flood(plain(" " * 65536))),
        promise=refused(422, UnprocessableEntityError),
        executed=0,
        memory_bytes=MEMORY_BYTES,
    ),
)

HEADERS = (
    large("many-headers", "Sends 90 headers.", http(201, NUMBER_BODY, *(f"X-{n}: {n}" for n in range(90))), bought()),
    large("long-header", "Sends a header of 20 kB.", http(201, NUMBER_BODY, "X-Long: " + "x" * 20_000), bought()),
    large("header-of-a-megabyte", "Sends a header of a megabyte.", http(201, NUMBER_BODY, "X-Long: " + "x" * MEGABYTE), lost(), close=True),
    large("hundred-thousand-headers", "Sends 100,000 headers.", http(201, NUMBER_BODY, *(f"X-{n}: {n}" for n in range(100_000))), lost(), close=True),
    large("reason-phrase-of-a-megabyte", "Sends a reason phrase of a megabyte.", http(201, NUMBER_BODY, reason="x" * MEGABYTE), lost(), close=True),
    Fault(
        name="flood-of-interim-replies",
        server="Says 103 without an end, as fast as it can.",
        scripts=does(*BUY, flood(plain("HTTP/1.1 103 Wait\r\n\r\n" * 1000))),
        promise=late(),
        at_most_seconds=10.0,
        timeout=STALLED_SECONDS,
        memory_bytes=MEMORY_BYTES,
    ),
    Fault(name="endless-status-line", server="Sends a status line without an end.", scripts=does(*BUY, send(plain("HTTP/1.1 201 ")), flood(plain("x" * 65536))), promise=lost(), memory_bytes=MEMORY_BYTES),
    Fault(name="endless-headers", server="Sends headers without an end.", scripts=does(*BUY, send(plain("HTTP/1.1 201 OK\r\n")), flood(plain("X-A: b\r\n" * 8000))), promise=lost(), memory_bytes=MEMORY_BYTES),
    Fault(
        name="endless-extension-of-a-chunk",
        server="Sends the extension of a chunk without an end, after the whole body.",
        scripts=does(*BUY, send(in_chunks(NUMBER_BODY, end="0;x=")), flood(plain("x" * 65536), 0.01)),
        promise=bought("The JSON is whole.", drift=("",)),
        memory_bytes=MEMORY_BYTES,
    ),
    Fault(
        name="endless-trailers",
        server="Sends trailers without an end, after the whole body.",
        scripts=does(*BUY, send(in_chunks(NUMBER_BODY, end="0\r\n")), flood(plain("X-A: b\r\n" * 8000))),
        promise=bought("The JSON is whole.", drift=("",)),
        memory_bytes=MEMORY_BYTES,
    ),
)

FAULTS = (*BODIES, *HEADERS)
