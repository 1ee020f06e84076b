"""What a run is asked to do is checked before anything is sent: what makes no sense is refused."""

import importlib
import importlib.util
import ipaddress
import os
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from . import options
from .document_check import read_document
from .options import refuse
from .upgrade import METHODS

COSTS = "Every valid case of a purchase costs money there."
_START_SECONDS = 10
"""How long a server that was just started may take until it answers."""


def check(allowed_host: str | None) -> None:
    """End the command with status 2 and one line if it can't do what it is asked to do."""
    url, client = options.setting("url"), options.setting("client")
    if not (url or client):
        refuse("give --url URL, --client PACKAGE or both")
    for name in ("seconds", "seed", "examples"):
        options.number(name, 1)
    _check_selection(read_document())
    _check_modules()
    _check_known(url, client)
    if (auth := options.setting("auth")) and ":" not in auth:
        refuse("--auth: give user name and password, as USER:PASSWORD")
    for header in options.setting("header").splitlines():
        if not header.partition(":")[2].strip():
            refuse("--header: give a name and a value, such as 'X-Api-Key: abc'")
    if url:
        _check_server(url, allowed_host)


def _check_selection(document: dict[str, Any]) -> None:
    items = [item for item in document["paths"].values() if isinstance(item, dict)]
    found = [
        (name, part)
        for item in items
        for name, part in item.items()
        if name in METHODS and isinstance(part, dict)
    ]
    operations = [part for _, part in found]
    named = {
        "id": {str(one["operationId"]) for one in operations if "operationId" in one},
        "tag": {str(tag) for one in operations for tag in one.get("tags") or []},
        "method": {method.upper() for method, _ in found},
    }
    for way in ("include", "exclude"):
        for kind, value in options.selected(way):
            if (value.upper() if kind == "method" else value) not in named[kind]:
                known = ", ".join(sorted(named[kind])) or "none"
                refuse(f"--{way} {kind}={value}: the document has no such {kind}. It has: {known}")


def _check_modules() -> None:
    sys.path.insert(0, str(Path.cwd()))  # As `python -m pytest` does.
    for name in ("client", "rules"):
        module = options.setting(name)
        if module and not importlib.util.find_spec(module.partition(".")[0]):
            refuse(f"--{name} {module}: no such module. Install it, or run this beside it.")
    if not (hooks := options.setting("hooks")):
        return
    if hooks.endswith(".py") or not all(part.isidentifier() for part in hooks.split(".")):
        refuse(f"--hooks {hooks}: give the name of a module, such as {Path(hooks).stem}")
    try:
        found = importlib.import_module(hooks)
    except Exception as error:
        refuse(f"--hooks {hooks}: it can't be imported: {type(error).__name__}: {error}")
    if not callable(getattr(found, "around_case", None)):
        refuse(f"--hooks {hooks}: it has no around_case(case), a context manager")


def _check_known(url: str, client: str) -> None:
    known, is_learning = options.setting("known"), bool(options.setting("learn"))
    if is_learning and not known:
        refuse("--learn needs --known FILE")
    files = [path for path, asked in ((known, url), (f"{known}.client", client)) if asked]
    if known and not is_learning:
        for path in files:
            if not Path(path).is_file():
                refuse(f"--known {known}: there is no file {path}. Write it with --learn.")


def _check_server(url: str, allowed_host: str | None) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), "", None
    if parts.scheme not in ("http", "https") or not host:
        refuse(f"{_without_user(url)} is not an address: give one such as http://127.0.0.1:8000")
    if "@" in parts.netloc:
        refuse("--url holds credentials, which reports would show: give them by --auth")
    if _is_loopback(host):
        for name in ("NO_PROXY", "no_proxy"):  # A proxy would look for it on its own machine.
            given = os.environ.get(name)
            os.environ[name] = "*" if given == "*" else ",".join(filter(None, (given, host)))
    elif allowed_host != host:
        refuse(
            f"{host} is not this machine. {COSTS} "
            f"To fuzz it all the same, name it again: --allow-host {host}"
        )
    else:
        sys.stderr.write(f"Fuzzing {host}, which is not this machine. {COSTS}\n")
    if _is_loopback(host):
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        _wait_for(url, kind(host, port, timeout=_START_SECONDS))


def _without_user(url: str) -> str:
    return url.rpartition("@")[2]


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wait_for(url: str, connection: HTTPConnection) -> None:
    """Wait until a server replies: one that was started just before takes a moment."""
    end, is_printed = time.monotonic() + _START_SECONDS, False
    while True:
        try:
            connection.request("GET", "/")
            connection.getresponse()
            return
        except HTTPException:
            return  # Something replies; the run says what is wrong with it.
        except OSError as error:
            if time.monotonic() > end:
                refuse(f"nothing replies at {url} ({error}): start the server first")
        finally:
            connection.close()
        if not is_printed:
            sys.stderr.write(f"Waiting for {url}, about {_START_SECONDS} seconds at most.\n")
            is_printed = True
        time.sleep(0.2)
