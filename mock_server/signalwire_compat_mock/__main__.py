"""Run the mock: signalwire-compat-mock, or python -m signalwire_compat_mock."""

import argparse
import errno
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import DEFAULT_TOKEN, MockServer, SpecError
from .journal import MOST_BYTES, MOST_ENTRIES
from .web_origins import check_origins


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, then return 0. Return 1 if the mock can't start."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    command = options.pop("command")
    if options["port"] is None:
        options["port"] = 0 if command else 8000
    try:
        server = MockServer(**options).start()
    except SpecError as error:
        return _fail(str(error))
    except ImportError as error:
        return _fail(f"{error}.")
    except OSError as error:
        if error.filename:
            return _fail(f"can't write {error.filename}: {error.strerror}. Choose another --tls.")
        place, reason = "port {port} of {host}".format(**options), error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            return _fail(f"{place} is in use. Choose another port, or --port 0 for a free one.")
        return _fail(f"can't listen on {place}: {reason}. Choose another --host or --port.")
    with server:
        sys.stderr.write(_samples(server) if command else "")
        return _run(command, server) if command else _serve(server)


def _serve(server: MockServer) -> int:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        # Not by `print`: what it can't write, the interpreter would write again at its end.
        os.write(sys.stdout.fileno(), _greeting(server).encode())
    except OSError as error:
        todo = "Send it to a terminal, a file or a running program"
        return _fail(f"can't write to standard output: {error.strerror or error}. {todo}.")
    # On Windows, a signal can't interrupt a wait without a timeout.
    while not stop.wait(0.5):
        pass
    return 0


def _greeting(server: MockServer) -> str:
    """Return the addresses and the `export` lines. The token of a user is never printed."""
    settings, own = server.environment, ""
    if server.token != DEFAULT_TOKEN:
        del settings["SIGNALWIRE_API_TOKEN"]
        own = ", with your token as SIGNALWIRE_API_TOKEN"
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    return (
        f"SignalWire mock at {server.url}\n"
        f"In a browser: {server.url}/docs and {server.url}/journal\n"
        f"{_tls(server)}"
        f"{_samples(server)}"
        f"Press Ctrl-C to stop. To use it from another shell{own}, run:\n"
        f"{''.join(exports)}"
    )


def _tls(server: MockServer) -> str:
    """Return a line about TLS; empty without it."""
    if "://" in (space := server.environment["SIGNALWIRE_SPACE"]):
        return ""
    return f"With TLS: https://{space}\n"


def _samples(server: MockServer) -> str:
    """Return a line that names the operations that keep nothing; empty if there are none."""
    names = ", ".join(server.sample_operations)
    return f"Samples from the contract, and no state: {names}\n" if names else ""


def _run(command: Sequence[str], server: MockServer) -> int:
    """Run a command with the variables that point to the mock, and return its exit status."""
    try:
        process = subprocess.Popen(command, env={**os.environ, **server.environment})  # noqa: S603  # what the user asked to run
    except OSError as error:
        status = 127 if isinstance(error, FileNotFoundError) else 126  # As in a shell.
        return _fail(f"can't run {command[0]}: {error.strerror or error}.", status)
    # Ctrl-C reaches the command too, and the command decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    status = process.wait()
    return status if status >= 0 else 128 - status


def _options(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of `MockServer`, and the command."""
    parser = argparse.ArgumentParser(
        prog="signalwire-compat-mock",
        description="Mock of the SignalWire Compatibility API, driven by openapi.yaml.",
    )
    add = parser.add_argument
    add("--version", action="version", version=version("signalwire-compat-mock"))
    add("--host", type=_text, default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_port, help="0 picks a free port (8000; a free port if a command is given)")
    add("--spec", type=Path, metavar="PATH", help="serve another openapi.yaml")
    add("--token", type=_text, default=DEFAULT_TOKEN, help="API token to accept (%(default)s)")
    add("--forgetful", action="store_true", help="keep nothing between requests, for fuzzing")
    add("--allow-import", action="store_true", help="allow numbers of other providers")
    add(
        "--allow-origin",
        dest="allow_origins",
        metavar="ORIGIN",
        type=_origin,
        action="append",
        default=[],
        help="let its web pages use the API: http://localhost:3000, or * for all; can be repeated",
    )
    kept = "exchanges to keep in the journal (%(default)s)"
    add("--journal-entries", type=_count, default=MOST_ENTRIES, metavar="N", help=kept)
    kept = "bytes of requests and replies to keep there (%(default)s)"
    add("--journal-bytes", type=_count, default=MOST_BYTES, metavar="N", help=kept)
    todo = "take TLS on the port, too, and write the certificate of its authority to this file"
    add("--tls", type=Path, metavar="PATH", help=todo)
    todo = "after --: run this with SIGNALWIRE_ variables that point to the mock, then stop"
    add("command", nargs="*", help=todo)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        hint = ". Put -- before the command" if options.command else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    if "--" in arguments and not options.command:
        parser.error("put the command to run after --")
    return vars(options)


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number: give 0 or more")


def _origin(text: str) -> str:
    try:
        return check_origins([text])[0]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _text(text: str) -> str:
    if text:
        return text
    raise argparse.ArgumentTypeError("the value is empty")


def _fail(message: str, status: int = 1) -> int:
    sys.stderr.write(f"signalwire-compat-mock: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
