"""The words that scripts are written in: replies as text, and steps that send them.

A text is a function of the `Peer`, since a reply holds the number that the request asked for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.transport.fault_server import Peer, Script, Step, contract_example

from .certificates import server_context

Text = Callable[[Peer], bytes]
SID: str = contract_example()["sid"]
MISSING = object()


def plain(content: bytes | str) -> Text:
    """Say the same to everybody."""
    encoded = content.encode() if isinstance(content, str) else content
    return lambda _: encoded


def purchased(**changes: Any) -> Text:
    """Say the purchased number in JSON; a member that is `MISSING` is left out."""

    def text(peer: Peer) -> bytes:
        members = {**contract_example(), "phone_number": peer.number, **changes}
        kept = {name: value for name, value in members.items() if value is not MISSING}
        return json.dumps(kept).encode()

    return text


def replaced(text: Text, old: str, new: str | bytes) -> Text:
    """Say a text with one part of it replaced; the part must be there."""
    written = new.encode() if isinstance(new, str) else new

    def changed(peer: Peer) -> bytes:
        before, found, after = text(peer).partition(old.encode())
        assert found, old
        return before + written + after

    return changed


def up_to(text: Text, end: str) -> Text:
    """Say a text up to and including a part of it; the part must be there."""

    def cut(peer: Peer) -> bytes:
        before, found, _ = text(peer).partition(end.encode())
        assert found, end
        return before + found

    return cut


def http(
    status: int,
    body: Text,
    *headers: str | Text,
    reason: str = "Said",
    length: str | None = "right",
    version: str = "HTTP/1.1",
    content_type: str | None = "application/json",
) -> Text:
    """Say a reply of HTTP.

    Shape: `length` is the value of Content-Length, `right` for the true one. None for it or for
    `content_type` leaves the header out.
    """

    def text(peer: Peer) -> bytes:
        content = body(peer)
        lines: list[bytes] = [f"{version} {status} {reason}".rstrip().encode()]
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}".encode())
        lines += [h.encode() if isinstance(h, str) else h(peer) for h in headers]
        if length is not None:
            value = str(len(content)) if length == "right" else length
            lines.append(f"Content-Length: {value}".encode())
        return b"\r\n".join([*lines, b"", content])

    return text


def head_of(text: Text) -> Text:
    """Say a reply up to the end of its headers."""
    return up_to(text, "\r\n\r\n")


def chunked(*parts: Text, end: str = "0\r\n\r\n") -> Text:
    """Say texts as chunks of the transfer encoding of that name."""

    def text(peer: Peer) -> bytes:
        chunks = (part(peer) for part in parts)
        return b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + end.encode()

    return text


def in_chunks(*parts: Text, end: str = "0\r\n\r\n") -> Text:
    """Say a 201 whose body comes in chunks."""
    return http(201, chunked(*parts, end=end), "Transfer-Encoding: chunked", length=None)


def coded(body: Text, code: Callable[[bytes], bytes]) -> Text:
    """Say a text compressed."""
    return lambda peer: code(body(peer))


def joined(*texts: Text) -> Text:
    """Say one text after the other."""
    return lambda peer: b"".join(text(peer) for text in texts)


def credentials(peer: Peer) -> bytes:
    """Say the credentials of the request: as they came, and the token in clear."""
    encoded = peer.headers["authorization"].partition(" ")[2]
    token = base64.b64decode(encoded).partition(b":")[2]
    return b"Basic %b and %b" % (encoded.encode(), token)


def around(before: str, text: Text, after: str = "") -> Text:
    """Say a text between two others."""
    return joined(plain(before), text, plain(after))


def send(text: Text) -> Step:
    """Make the step that sends a text in one go."""
    return lambda peer: peer.send(text(peer))


def drip(text: Text, pause_seconds: float = 0.05, size: int = 1) -> Step:
    """Make the step that sends a text a few bytes at a time."""
    return lambda peer: peer.drip(text(peer), pause_seconds, size)


def flood(text: Text, pause_seconds: float = 0) -> Step:
    """Make the step that sends a text again and again until the client hangs up."""
    return lambda peer: peer.flood(text(peer), pause_seconds)


def pause(seconds: float) -> Step:
    """Make the step that does nothing for a while."""
    return lambda peer: peer.pause(seconds)


def tls(kind: str = "good") -> Step:
    """Make the step that speaks TLS with a certificate of this kind from here on."""
    return lambda peer: peer.start_tls(server_context(kind))


SEE = Peer.see_request
HEAD = Peer.read_head
READ = Peer.read_request
EXECUTE = Peer.execute
STALL = Peer.stall
RESET = Peer.reset
CLOSE = Peer.close
KEEP = Peer.keep
BUY = (READ, EXECUTE)

NUMBER_BODY = purchased()
RECEIPT = http(201, NUMBER_BODY)


def answers(text: Text, *, last: Step = KEEP) -> tuple[Script]:
    """Execute the purchase and answer with this."""
    return ((*BUY, send(text), last),)


def refuses(text: Text, *, last: Step = KEEP) -> tuple[Script]:
    """Answer with this, and execute nothing."""
    return ((READ, send(text), last),)


def does(*steps: Step) -> tuple[Script]:
    """Do these steps."""
    return (steps,)


def failure(status: int, body: Any = None, *headers: str | Text, **options: Any) -> Text:
    """Say an error: the contract's own object unless a body is given."""
    documented = {
        "code": 21401,
        "message": "The number to purchase is not a valid phone number.",
        "more_info": "https://docs.example/21401",
        "status": status,
    }
    members = documented if body is None else body
    content = members if callable(members) else plain(json.dumps(members))
    return http(status, content, *headers, **options)


HEALTHY: Script = (*BUY, send(RECEIPT), KEEP)
HEALTHY_TLS: Script = (tls(), *HEALTHY)
