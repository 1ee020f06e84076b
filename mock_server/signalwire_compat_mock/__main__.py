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

from . import DEFAULT_TOKEN, MockServer, SpecError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, then return 0. Return 1 if the mock can't start."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    if options.port is None:
        options.port = 0 if options.command else 8000
    try:
        server = MockServer(
            options.spec,
            host=options.host,
            port=options.port,
            token=options.token,
            forgetful=options.forgetful,
        ).start()
    except SpecError as error:
        return _fail(str(error))
    except OSError as error:
        place, reason = f"port {options.port} of {options.host}", error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            return _fail(f"{place} is in use. Choose another port, or --port 0 for a free one.")
        return _fail(f"can't listen on {place}: {reason}. Choose another --host or --port.")
    if options.command:
        with server:
            return _run(options.command, server)
    return _serve(server)


def _serve(server: MockServer) -> int:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    if problem := _write(_greeting(server)):
        server.close()
        todo = "Send it to a terminal, a file or a running program"
        return _fail(f"can't write to standard output: {problem}. {todo}.")
    # On Windows, a signal can't interrupt a wait without a timeout.
    while not stop.wait(0.5):
        pass
    server.close()
    return 0


def _greeting(server: MockServer) -> str:
    """Return the addresses and the `export` lines. The token of a user is never printed."""
    settings = server.environment
    own = ""
    if server.token != DEFAULT_TOKEN:
        del settings["SIGNALWIRE_API_TOKEN"]
        own = ", with your token as SIGNALWIRE_API_TOKEN"
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    return (
        f"SignalWire mock at {server.url}\n"
        f"In a browser: {server.url}/docs and {server.url}/journal\n"
        f"Press Ctrl-C to stop. To use it from another shell{own}, run:\n"
        f"{''.join(exports)}"
    )


def _write(text: str) -> str | None:
    """Write to standard output. Return the reason if that fails."""
    if sys.stdout is None:
        return "it is closed"
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Otherwise the interpreter flushes the rest at exit, and reports the failure again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error.strerror or str(error)
    return None


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


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        hint = ". Put -- before the command" if options.command else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    if "--" in arguments and not options.command:
        parser.error("put the command to run after --")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signalwire-compat-mock",
        description="Mock of the SignalWire Compatibility API, driven by openapi.yaml.",
    )
    parser.add_argument("--version", action="version", version=version("signalwire-compat-mock"))
    parser.add_argument(
        "--host", type=_text, default="127.0.0.1", help="address to listen on (%(default)s)"
    )
    parser.add_argument(
        "--port", type=_port, help="0 picks a free port (8000; a free port if a command is given)"
    )
    parser.add_argument("--spec", type=Path, metavar="PATH", help="serve another openapi.yaml")
    parser.add_argument(
        "--token", type=_text, default=DEFAULT_TOKEN, help="API token to accept (%(default)s)"
    )
    parser.add_argument(
        "--forgetful", action="store_true", help="keep nothing between requests, for fuzzing"
    )
    parser.add_argument(
        "command",
        nargs="*",
        help="after --: run this with SIGNALWIRE_ variables that point to the mock, then stop",
    )
    return parser


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")


def _text(text: str) -> str:
    if text:
        return text
    raise argparse.ArgumentTypeError("the value is empty")


def _fail(message: str, status: int = 1) -> int:
    sys.stderr.write(f"signalwire-compat-mock: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
