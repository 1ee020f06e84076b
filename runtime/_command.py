"""The command: `TAG OPERATION` calls an operation, `bulk` one for rows."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ._command_line import NAME, make_client, option_names, read_command_line, spelled
from ._contract import CAUTIONS, USER
from ._errors import InvalidRequestError, SignalWireError
from ._operation import Operation
from ._request import Request
from ._rest_client import RestClient
from ._settings import SHOWN
from ._terminal import (
    Status,
    Terminated,
    fail,
    may_go_on,
    results_written,
    write_json,
    write_table,
)
from ._values import encode


def main() -> int:
    """Run the command. Returns its exit status."""
    if sys.stderr is None:  # It is closed.
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    if sys.stdout is None:
        return fail("Standard output is closed, so nothing was sent.", Status.USAGE)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")  # A result is shown on any terminal.
    options = read_command_line(sys.argv[1:], _call)
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        status: int = options.run(options)
        return status
    except Terminated:
        return fail("Terminated.", Status.TERMINATED)
    except KeyboardInterrupt:
        return fail("Interrupted.", Status.INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> NoReturn:
    raise Terminated


def _call(name: str, options: argparse.Namespace) -> int:
    """Call an operation, and write what it returns."""
    given = vars(options)
    arguments = {k.partition(" ")[2]: v for k, v in given.items() if k.startswith("argument ")}
    try:
        client = make_client(RestClient, options)
        operation = Operation(name, client)
        request, look_up = operation.check(**arguments)
        host = urlsplit(client.base_url).netloc
        user = f" for {USER} {client.account}" if USER else ""
        question = f"{request.call}{user} at {host}"
        if not may_go_on(question, CAUTIONS.get(name), yes=given.get("yes", False)):
            return fail("Nothing was sent.", Status.NOT_DONE)
    except ValueError as error:
        return fail(str(error), Status.USAGE)
    advice = _how_to_look(look_up(request.arguments).request, options) if look_up else ""
    with client:
        try:
            result = operation.method(**arguments)
            if operation.has_pages:
                return _write_page(result, options)
        except InvalidRequestError as error:
            return fail(str(error), Status.USAGE)
        except SignalWireError as error:
            return _failed(error, advice)
        except KeyboardInterrupt:
            fail(advice, Status.INTERRUPTED)
            raise
    sid = getattr(result, "sid", None)
    return _write(result, result, options, f"The SID is {sid}." if sid else advice)


def _write_page(page: Any, options: argparse.Namespace) -> int:
    """Write a page, or one with the items of all pages."""
    if not options.all:
        whole, items = page.to_dict(), page._own_items()
        if whole.get(page._next):
            fail("There are more pages: --all asks for them.", Status.DONE)
    else:
        items = [encode(item) for item in page] if options.json else list(page)
        whole = {**page.to_dict(), page._items: items, page._next: None}
    return _write(whole, items, options)


def _write(whole: Any, shown: Any, options: argparse.Namespace, advice: str = "") -> int:
    """Write the result of a call: `whole` as JSON, `shown` for people."""
    with results_written(f"The call was carried out.\n{advice}"):
        if isinstance(whole, bytes):
            sys.stdout.buffer.write(whole)
        elif options.json:
            write_json(whole)
        else:
            write_table(shown)
    return Status.DONE


def _failed(error: SignalWireError, advice: str) -> int:
    """Say what is known of a call that failed, and what to do."""
    status = fail(str(error), Status.UNKNOWN if error.outcome_unknown else Status.NOT_DONE)
    if error.outcome_unknown and error.sid:
        fail(f"The reply named this SID: {error.sid}", status)
    return fail(advice, status) if error.outcome_unknown else status


def _how_to_look(listing: Request, options: argparse.Namespace) -> str:
    """Write the command that looks for what a call asked for."""
    words = [NAME, *map(spelled, listing.operation.split("."))]
    known = option_names(Operation(listing.operation))
    given = [(known.get(name, ""), value) for name, value in listing.arguments.items()]
    given += [(f"--{name}", getattr(options, name)) for name in SHOWN]
    for option, value in given:
        if value is not None:
            words += [option, str(value)] if option else [str(value)]
    return f"To look for it: {shlex.join(words)}"
