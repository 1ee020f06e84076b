"""Faults of framing: replies that are not HTTP, or not quite."""

from __future__ import annotations

import json
import socket

from signalwire_compat import UnprocessableEntityError

from tests.transport.fault_server import Step, contract_example

from ..scripts import BUY, CLOSE, KEEP, NUMBER_BODY, READ, RECEIPT, RESET, SEE, STALL, Text, answers, chunked, does, failure, http, in_chunks, joined, pause, plain, replaced, send, up_to
from ..table import STALLED_SECONDS, Fault, Promise, bought, broken, lost, refused

GOODBYE: Step = lambda peer: peer.connection.shutdown(socket.SHUT_WR)  # noqa: E731  # a step like the others
HALF = up_to(NUMBER_BODY, '"sms_application_sid"')
REST: Text = lambda peer: NUMBER_BODY(peer)[len(HALF(peer)) :]  # noqa: E731  # a text like the others
WHOLE_ANYWAY = bought("The JSON is whole.", drift=("",))


def executes(name: str, server: str, text: Text, promise: Promise, *, close: bool = True) -> Fault:
    """Make the row of a server that executes, sends this, and closes or keeps the connection."""
    scripts = answers(text, last=CLOSE if close else KEEP)
    return Fault(name=name, server=server, scripts=scripts, promise=promise)


NO_HTTP = (
    executes("garbage", "Answers with bytes that are no HTTP.", plain("\x00\x01garbage\r\n\r\n"), lost()),
    executes("empty-lines", "Answers with empty lines alone.", plain("\r\n\r\n\r\n"), lost()),
    executes("banner-of-mail", "Greets as a mail server.", plain("220 mail.example ESMTP\r\n"), lost()),
    executes("alert-of-tls", "Answers with an alert of TLS.", plain(b"\x15\x03\x01\x00\x02\x02\x46"), lost()),
    executes("http-0.9", "Answers as HTTP/0.9 does: the body alone.", NUMBER_BODY, lost()),
    executes("http-2-frames", "Answers with frames of HTTP/2.", plain(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), lost()),
    executes("http-2-preface", "Answers with the preface of HTTP/2.", plain("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), lost()),
    executes("http-2-in-the-status-line", "Says HTTP/2 in a status line.", http(201, NUMBER_BODY, version="HTTP/2"), lost()),
    executes("status-of-letters", "Says `2O1` for the status.", replaced(RECEIPT, "201", "2O1"), lost()),
    executes("status-of-four-digits", "Says `2010` for the status.", replaced(RECEIPT, "201", "2010"), lost()),
    executes("request-sent-back", "Sends the request back instead of a reply.", lambda peer: peer.head + b"\r\n\r\n" + peer.body, lost()),
    executes("header-without-a-colon", "Sends a header without a colon.", http(201, NUMBER_BODY, "Nonsense"), lost()),
    executes("header-with-nul", "Sends a header that holds NUL.", http(201, NUMBER_BODY, "X-Nul: a\x00b"), lost()),
)

ODD_AND_FINE = (
    executes("no-reason-phrase", "Leaves out the reason phrase.", http(201, NUMBER_BODY, reason=""), bought(), close=False),
    executes("reason-phrase-in-utf-8", "Says `Ausgeführt ✓` for a reason phrase.", http(201, NUMBER_BODY, reason="Ausgeführt ✓"), bought(), close=False),
    executes("bare-line-feeds", "Ends its lines with LF alone.", lambda peer: RECEIPT(peer).replace(b"\r\n", b"\n"), bought(), close=False),
    executes("folded-header", "Folds a header over two lines.", http(201, NUMBER_BODY, "X-Folded: a\r\n b"), bought(), close=False),
    executes("header-in-latin-1", "Sends a header in Latin-1.", http(201, NUMBER_BODY, lambda _: b"X-Name: Z\xfcrich"), bought(), close=False),
    executes("headers-in-odd-case", "Writes the names of its headers in odd case.", lambda peer: RECEIPT(peer).replace(b"Content-Length", b"cOnTeNt-LeNgTh"), bought(), close=False),
    executes("http-1.0", "Answers in HTTP/1.0 without a length, and closes.", http(201, NUMBER_BODY, length=None, version="HTTP/1.0"), bought()),
    executes("http-1.0-with-length", "Answers in HTTP/1.0 with a length, and closes.", http(201, NUMBER_BODY, version="HTTP/1.0"), bought()),
    executes("no-length", "Answers without a length, and closes.", http(201, NUMBER_BODY, length=None), bought()),
)

INTERIM = (
    *(executes(f"interim-{status}", f"Says {status} before the answer.", joined(plain(f"HTTP/1.1 {status} Wait\r\nLink: </a>\r\n\r\n"), RECEIPT), bought(), close=False) for status in (100, 102, 103, 199)),
    executes("interim-many", "Says 100, 102 and 103 ten times each before the answer.", joined(*(plain(f"HTTP/1.1 {status} Wait\r\n\r\n") for status in [100, 102, 103] * 10), RECEIPT), bought(), close=False),
    Fault(
        name="interim-before-an-error",
        server="Says 103 before it refuses with 422.",
        scripts=does(READ, send(plain("HTTP/1.1 103 Wait\r\n\r\n")), send(failure(422)), KEEP),
        promise=refused(422, UnprocessableEntityError),
        executed=0,
    ),
    Fault(name="interim-then-reset", server="Executes, says 103, and resets the connection.", scripts=does(*BUY, send(plain("HTTP/1.1 103 Wait\r\n\r\n")), pause(0.02), RESET), promise=lost()),
    executes("interim-with-a-length", "Says 100 with a Content-Length and a body of it before the answer.", joined(plain("HTTP/1.1 100 Wait\r\nContent-Length: 2\r\n\r\nok"), RECEIPT), lost()),
    executes("interim-and-closed", "Executes, says 100, and closes.", plain("HTTP/1.1 100 Continue\r\n\r\n"), lost()),
    executes("switching-protocols-and-an-answer", "Says 101, and answers all the same.", joined(plain("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), RECEIPT), lost()),
    executes("switching-protocols", "Says 101, as if the client had asked for another protocol.", plain("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), lost()),
)

CHUNKED = (
    executes("chunked", "Sends the body in two chunks.", in_chunks(HALF, REST), bought(), close=False),
    executes("chunked-with-extensions", "Sends a chunk with an extension, and a trailer.", lambda peer: in_chunks(NUMBER_BODY, end="0\r\nX-After: 1\r\n\r\n")(peer).replace(b"\r\n{", b";a=b\r\n{"), bought(), close=False),
    executes("chunked-byte-by-byte", "Sends each byte of the body in a chunk of its own.", lambda peer: in_chunks(*(plain(bytes([byte])) for byte in NUMBER_BODY(peer)))(peer), bought(), close=False),
    executes("chunk-size-garbage", "Sends half of the body, then a chunk whose size is `zz`.", joined(in_chunks(HALF, end=""), plain("zz\r\n")), lost(201, sid=True)),
    executes("chunk-size-negative", "Sends half of the body, then a chunk whose size is `-1`.", joined(in_chunks(HALF, end=""), plain("-1\r\n")), lost(201, sid=True)),
    executes("chunk-size-of-40-digits", "Sends half of the body, then a chunk whose size has 40 digits.", joined(in_chunks(HALF, end=""), plain("f" * 40 + "\r\nx")), lost(201, sid=True)),
    executes("chunk-longer-than-its-size", "Sends a chunk that is longer than its size.", joined(in_chunks(HALF, end=""), plain("1\r\n"), REST, plain("\r\n0\r\n\r\n")), lost(201, sid=True)),
    executes("chunk-cut-off", "Closes in the middle of a chunk.", up_to(in_chunks(NUMBER_BODY), '"sms_application_sid"'), lost(201, sid=True)),
    executes("last-chunk-missing", "Sends the whole body, and closes without the last chunk.", in_chunks(HALF, REST, end=""), WHOLE_ANYWAY),
    executes("garbage-after-the-chunks", "Sends the whole body, then a chunk whose size is `zz`.", in_chunks(HALF, REST, end="zz\r\n"), WHOLE_ANYWAY),
    Fault(name="last-chunk-stalls", server="Sends the whole body, and never the last chunk.", scripts=does(*BUY, send(in_chunks(HALF, REST, end="")), STALL), promise=WHOLE_ANYWAY, timeout=STALLED_SECONDS),
    Fault(name="last-chunk-reset", server="Sends the whole body, and resets instead of the last chunk.", scripts=does(*BUY, send(in_chunks(HALF, REST, end="")), pause(0.02), RESET), promise=WHOLE_ANYWAY),
    executes("transfer-encoding-unknown", "Says `Transfer-Encoding: gzip`.", http(201, NUMBER_BODY, "Transfer-Encoding: gzip", length=None), lost()),
    executes("chunked-and-length", "Sends chunks, and a Content-Length as well.", http(201, chunked(NUMBER_BODY), "Transfer-Encoding: chunked", length="5"), bought(), close=False),
    executes("chunked-and-gzip", "Says `Transfer-Encoding: gzip, chunked`.", http(201, chunked(NUMBER_BODY), "Transfer-Encoding: gzip, chunked", length=None), lost()),
    executes("chunked-in-capitals", "Says `Transfer-Encoding: CHUNKED`.", http(201, chunked(NUMBER_BODY), "Transfer-Encoding: CHUNKED", length=None), bought(), close=False),
    executes("chunked-in-http-1.0", "Sends chunks in HTTP/1.0, and closes.", http(201, chunked(NUMBER_BODY), "Transfer-Encoding: chunked", length=None, version="HTTP/1.0"), bought()),
    executes("chunk-size-behind-zeros", "Writes zeros before the size of the chunk.", replaced(in_chunks(NUMBER_BODY), "\r\n\r\n", "\r\n\r\n0000"), bought(), close=False),
    executes("chunk-size-in-0x", "Writes `0x` before the size of the chunk.", replaced(in_chunks(NUMBER_BODY), "\r\n\r\n", "\r\n\r\n0x"), lost(201)),
    executes("trailers-that-lie", "Sends another Content-Length in the trailers.", in_chunks(NUMBER_BODY, end="0\r\nContent-Length: 5\r\nLocation: /elsewhere\r\n\r\n"), bought(), close=False),
    executes("trailer-without-a-colon", "Sends a trailer without a colon.", in_chunks(NUMBER_BODY, end="0\r\nNonsense\r\n\r\n"), WHOLE_ANYWAY),
    executes("chunked-twice", "Says `Transfer-Encoding: chunked` twice.", http(201, chunked(NUMBER_BODY), "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", length=None), lost()),
)

LENGTH = (
    executes("length-too-long", "Promises more bytes than it sends, and closes.", http(201, NUMBER_BODY, length="5000"), WHOLE_ANYWAY),
    executes("length-of-20-digits", "Promises 10^19 bytes, and closes after the body.", http(201, NUMBER_BODY, length="1" + "0" * 19), WHOLE_ANYWAY),
    Fault(name="length-too-long-and-stalls", server="Promises more bytes than it sends, and stops.", scripts=does(*BUY, send(http(201, NUMBER_BODY, length="5000")), STALL), promise=WHOLE_ANYWAY, timeout=STALLED_SECONDS),
    executes("length-too-short", "Promises fewer bytes than it sends: the body ends after the SID.", lambda peer: http(201, NUMBER_BODY, length=str(len(HALF(peer))))(peer), broken(sid=True), close=False),
    executes("length-zero", "Promises no bytes, and sends them all the same.", http(201, NUMBER_BODY, length="0"), broken(), close=False),
    executes("length-twice-the-same", "Sends the same Content-Length twice.", lambda peer: http(201, NUMBER_BODY, f"Content-Length: {len(NUMBER_BODY(peer))}")(peer), bought(), close=False),
    executes("length-twice-different", "Sends two different Content-Lengths.", http(201, NUMBER_BODY, "Content-Length: 5"), lost()),
    executes("length-negative", "Says `Content-Length: -1`.", http(201, NUMBER_BODY, length="-1"), lost()),
    executes("length-of-letters", "Says `Content-Length: many`.", http(201, NUMBER_BODY, length="many"), lost()),
    executes("length-with-a-plus", "Says `Content-Length: +5000`.", http(201, NUMBER_BODY, length="+5000"), lost()),
    executes("length-in-hexadecimal", "Says `Content-Length: 0x400`.", http(201, NUMBER_BODY, length="0x400"), lost()),
    executes("length-as-a-list", "Says the same length twice in one Content-Length.", lambda peer: http(201, NUMBER_BODY, length=f"{len(NUMBER_BODY(peer))}, {len(NUMBER_BODY(peer))}")(peer), bought(), close=False),
    executes("length-as-a-list-of-two", "Says two different lengths in one Content-Length.", http(201, NUMBER_BODY, length="5, 1174"), lost()),
    executes("length-behind-zeros", "Writes zeros before the length.", lambda peer: http(201, NUMBER_BODY, length=f"000{len(NUMBER_BODY(peer))}")(peer), bought(), close=False),
    executes("length-of-5000-digits", "Says a length of 5,000 digits, and closes after the body.", http(201, NUMBER_BODY, length="9" * 5000), lost()),
    executes("length-behind-a-blank", "Writes a blank before the colon of Content-Length.", replaced(RECEIPT, "Content-Length:", "Content-Length :"), lost()),
    executes("length-empty", "Sends an empty Content-Length.", http(201, NUMBER_BODY, length=""), lost()),
    Fault(
        name="length-too-long-for-an-error",
        server="Refuses with 422, promises more bytes than it sends, and closes.",
        scripts=does(READ, send(http(422, plain("{}"), length="5000")), CLOSE),
        promise=refused(422, UnprocessableEntityError),
        executed=0,
    ),
    executes("no-length-and-cut-off", "Answers without a length, and closes in the body, after the SID.", http(201, HALF, length=None), broken(sid=True)),
    Fault(name="no-length-and-reset", server="Answers without a length, and resets after the whole body.", scripts=does(*BUY, send(http(201, NUMBER_BODY, length=None)), pause(0.02), RESET), promise=WHOLE_ANYWAY),
    Fault(name="no-length-and-stalls", server="Answers without a length, and never closes.", scripts=does(*BUY, send(http(201, NUMBER_BODY, length=None)), STALL), promise=WHOLE_ANYWAY, timeout=STALLED_SECONDS),
)

EARLY = (
    Fault(
        name="408-before-the-request",
        server="Says 408 as soon as it is there, and closes.",
        scripts=does(send(http(408, plain(""), "Connection: close")), CLOSE),
        promise=refused(408, unknown=True),
        executed=0,
        requests=0,
    ),
    Fault(
        name="reply-before-the-request",
        server="Sends the reply of somebody else as soon as it is there; then it executes.",
        scripts=does(send(http(201, plain(json.dumps({**contract_example(), "phone_number": "+13105550199"})))), *BUY, STALL),
        promise=broken(sid=True),
    ),
    Fault(name="half-closed-before-the-request", server="Says goodbye as soon as it is there, reads on all the same, and executes.", scripts=does(GOODBYE, *BUY), promise=lost()),
    Fault(
        name="refused-before-the-request-was-read",
        server="Refuses with 422 on the first byte of the request, and closes.",
        scripts=does(SEE, send(failure(422, None, "Connection: close")), CLOSE),
        promise=refused(422, UnprocessableEntityError),
        executed=0,
    ),
    Fault(
        name="refused-and-reset-before-the-request-was-read",
        server="Refuses with 413 on the first byte of the request, and resets a little later.",
        scripts=does(SEE, send(failure(413, None, "Connection: close")), pause(0.1), RESET),
        promise=refused(413),
        executed=0,
    ),
)

FAULTS = (*NO_HTTP, *ODD_AND_FINE, *INTERIM, *CHUNKED, *LENGTH, *EARLY)
