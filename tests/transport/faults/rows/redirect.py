"""Redirects: never followed, and a typed error each."""

from __future__ import annotations

from tests.transport.fault_server import Peer

from ..scripts import NUMBER_BODY, Text, answers, failure, http, plain, refuses
from ..table import Fault, refused

UNCERTAIN = (300, 301, 302, 303, 304, 305)
CERTAIN = (307, 308)
FOUND = failure(307, None, "Location: /elsewhere")


def elsewhere(peer: Peer) -> bytes:
    """Say the header that points to another server."""
    other = peer.server.elsewhere
    return f"Location: {other.url if other else 'http://127.0.0.1:9'}/api".encode()


def itself(peer: Peer) -> bytes:
    """Say the header that points to the very same URL."""
    return b"Location: " + peer.head.split(b" ")[1]


def row(status: int, name: str, server: str, *headers: str | Text) -> Fault:
    """Make the row of a server that redirects with this header, if any.

    A redirect that keeps the method, 307 or 308, was not executed; the others may have been.
    """
    text = http(status, plain(""), *headers)
    certain = status in CERTAIN
    verb = "Redirects" if certain else "Executes, and redirects"
    return Fault(
        name=f"redirect-{status}-{name}",
        server=f"{verb} with {status} {server}.",
        scripts=refuses(text) if certain else answers(text),
        promise=refused(status, unknown=not certain, note="Not followed."),
        executed=0 if certain else 1,
    )


FAULTS = (
    *(
        fault
        for status in (*UNCERTAIN, *CERTAIN)
        for fault in (
            row(status, "to-a-path", "to another path", "Location: /elsewhere"),
            row(status, "to-another-host", "to another host", elsewhere),
            row(status, "to-itself", "to the same URL", itself),
            row(status, "to-nowhere", "without a Location"),
        )
    ),
    row(302, "to-garbage", "to a URL that is none", "Location: http://[::1"),
    row(307, "to-garbage", "to a URL that is none", "Location: http://[::1"),
    row(307, "to-a-script", "to `javascript:`", "Location: javascript:alert(1)"),
    row(307, "to-a-port-of-letters", "to a port of letters", "Location: http://127.0.0.1:port/"),
    row(308, "to-a-long-url", "to a URL of 20,000 characters", "Location: /" + "a" * 20_000),
    row(307, "twice", "to two places", "Location: /a", "Location: /b"),
    Fault(name="redirect-304-with-a-body", server="Executes, and answers 304 with the number, which 304 can't have.", scripts=answers(http(304, NUMBER_BODY)), promise=refused(304, unknown=True)),
    row(307, "with-a-cookie", "and sets a cookie", "Location: /a", "Set-Cookie: a=b"),
)
