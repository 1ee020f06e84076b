"""Writes the table as docs/evidence/reliability.md: the same text on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .rows import FAULTS, GROUPS
from .table import CALLERS_CLIENTS, Fault

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "evidence" / "reliability.md"
HEAD = """\
<!-- Written by make faults from tests/transport/faults/. Do not edit. -->
# Reliability: what a caller gets when something goes wrong

A purchase costs money and can't be undone for 14 days. So the client promises, whatever a server or
a network does:

- A call returns the number, or raises one of the exceptions of this package. Nothing else comes out.
- It ends within `timeout` seconds, retries included.
- It sends a purchase again only if the first one can't have been carried out: nothing was sent, or
  the answer was 429, or 503 with `Retry-After` and the provider's own error object.
- `outcome_unknown` is True on the exception if the number may have been bought. Then look at what
  the account holds before you buy again. If it is False, nothing was bought.
- The exception names the number that was asked for, and holds the SID if the reply did.
- No exception and no log line shows the token, even if the server sends it back.
- The client can be used afterwards, and leaks no connection.

Each of the {count} rows below is one fault that a server really plays, on a socket, to the client and to
its async twin, and all of that is checked each time. Where money is at stake, in {costs} rows, the
fault is also played over three clients of the caller's: an `httpx.Client`, an `httpx.AsyncClient`, and
one that sends through aiohttp (httpx-aiohttp). The tests do it, and so does this command, which also
wrote this page:

```sh
make faults
```

How to read a row: the server does what the second column says; the caller gets what the third one
says. **Unknown** is `outcome_unknown` of the exception, a dash where there is none. **Requests** is
how many requests the server sees, retries included, and **bought** how many purchases it executes:
never more than one. Where a stalled reply ends in the number or in an exception, the timeout of the
test is half a second or so; it is `timeout` of your client.

The last three columns are the callers' clients. **Money** means: the purchase is executed at most once
and sent at most once, the number that is returned is the one that was asked for, `outcome_unknown` is
True after a purchase that was executed and False if nothing was sent, the next purchase is right, too,
and no secret is shown. A dash means that no money is at stake, so the row is not played.
"""


def document() -> str:
    """Write the whole page."""
    return HEAD.format(count=len(FAULTS), costs=sum(fault.costs for fault in FAULTS)) + "".join(
        _sections()
    )


def _sections() -> Iterator[str]:
    for group, (about, _) in GROUPS.items():
        yield f"\n## {group.capitalize()}\n\n{(about or '').strip()}\n\n"
        heads = ("Fault", "The server", "The caller gets", "Unknown", "Requests", "Bought")
        yield f"| {' | '.join((*heads, *CALLERS_CLIENTS))} |\n"
        yield f"|{' --- |' * (len(heads) + len(CALLERS_CLIENTS))}\n"
        for fault in FAULTS:
            if fault.group == group:
                yield f"| {' | '.join(_cell(text) for text in _row(fault))} |\n"


def _row(fault: Fault) -> tuple[str, ...]:
    return (
        fault.name,
        fault.server,
        fault.promise.words,
        unknown_in_words(fault),
        requests_in_words(fault),
        str(fault.executed),
        *["money" if fault.costs else "-"] * len(CALLERS_CLIENTS),
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def unknown_in_words(fault: Fault) -> str:
    """Say what is promised of `outcome_unknown`."""
    if fault.promise.kind is None:
        return "-"
    return {True: "yes", False: "no", None: "either"}[fault.promise.outcome_unknown]


def requests_in_words(fault: Fault) -> str:
    """Say how many requests the server sees."""
    fewest, most = fault.fewest_requests, fault.most_requests
    return str(most) if fewest == most else f"{fewest} to {most}"
