"""Reads the settings of a client from its arguments and the environment, and checks them."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._contract import BASE_PATH, HOST, SCHEMES, SERVER, SERVERS, USER, VARIABLES
from ._credentials import Credentials, Problem, read_credentials, text_problem
from ._encoding import headers as encode_headers
from ._errors import InvalidRequestError
from ._redaction import Secrets

SHOWN = (*filter(None, [USER]), "host")
"""The settings with an environment variable that hold no secret."""
# The client sets these itself: a caller's value would break the request or its reply.
_OWN_HEADERS = {
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "expect"),
    *("host", "te", "transfer-encoding", "upgrade"),
    *(name for kind, name, _ in SCHEMES.values() if kind == "header"),
}


class Settings(NamedTuple):
    """The checked settings of a client. `account` is the user of HTTP Basic, or another one."""

    credentials: Credentials
    account: str
    base_url: str
    others_below: str
    timeout: float | None
    max_retries: int
    look_up_timeout: float
    max_reply_bytes: int
    headers: dict[str, str]

    def url_of(self, server: str) -> str:
        """Give the URL that the path of an operation follows; `server` is its own, if it has one.

        The host is the caller's, if one was named, else the contract's.
        """
        parts = urlsplit(server)
        if not server:
            return self.base_url
        if not self.others_below and parts.scheme:
            return server.rstrip("/")
        here = urlsplit(self.base_url)
        below = self.others_below or f"{here.scheme}://{here.netloc}"
        return f"{below}/{parts.path.strip('/')}".rstrip("/")

    @property
    def secrets(self) -> Secrets:
        """Texts that must not be shown."""
        return self.credentials.secrets


def read_settings(
    credentials: dict[str, Any],
    *,
    host: str | None,
    timeout: float | None,
    max_retries: int,
    look_up_timeout: float,
    max_reply_bytes: int,
    allow_http: bool,
    headers: dict[str, str] | None,
) -> Settings:
    """Check all settings, secrets hidden. Errors: `InvalidRequestError` names every problem."""
    checks: dict[str, Callable[[], Any]] = {
        "credentials": lambda: read_credentials(credentials),
        "urls": lambda: _urls(host, allow_http=allow_http),
        "timeout": lambda: check_timeout(timeout),
        "max_retries": lambda: check_count("max_retries", max_retries, 0),
        "look_up_timeout": lambda: _check_look_up_timeout(look_up_timeout),
        "max_reply_bytes": lambda: check_count("max_reply_bytes", max_reply_bytes, 1),
        "headers": lambda: check_headers(headers or {}),
    }
    checked: dict[str, Any] = {}
    problems: list[str] = []
    for name, check in checks.items():
        try:
            checked[name] = check()
        except InvalidRequestError as error:
            problems += error.problems
    if problems:
        raise InvalidRequestError(" ".join(problems), problems=problems)
    base_url, below = checked.pop("urls")
    return Settings(
        **checked, base_url=base_url, others_below=below, account=checked["credentials"].user
    )


def check_timeout(seconds: float | None) -> float | None:
    """Check a timeout in seconds. Errors: `InvalidRequestError`."""
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 < seconds < 1e9:
        raise InvalidRequestError(
            f"timeout must be seconds above 0 and below 1e9, or None, got {seconds!r}."
        )
    return seconds


def _check_look_up_timeout(seconds: float) -> float:
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds < 1e9:
        raise InvalidRequestError(
            f"look_up_timeout must be seconds from 0 and below 1e9, got {seconds!r}."
        )
    return seconds


def check_count(name: str, value: int, least: int) -> int:
    """Check a whole number. Errors: `InvalidRequestError`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name} must be a whole number from {least}, got {value!r}.")
    return value


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Check headers of the caller. Errors: `InvalidRequestError`."""
    written = encode_headers(headers)
    if own := sorted(written.keys() & _OWN_HEADERS):
        raise InvalidRequestError(f"the header {own[0]} is set by the client: leave it out.")
    return written


def is_loopback(name: str) -> bool:
    """Whether a host is this machine, whatever network it is on."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _urls(host: Any, *, allow_http: bool) -> tuple[str, str]:
    """Give the base URL, and the one below which are other servers, if the caller names a host."""
    host = os.environ.get(VARIABLES["host"]) if host is None else host
    is_named = bool(host) or not SERVER
    host = host if is_named else SERVER
    if problem := text_problem("host", host):
        raise InvalidRequestError(problem)
    if "://" not in host and host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    try:
        parts = urlsplit(host if "://" in host else f"//{host}")
        name, port = parts.hostname or "", parts.port
        name.encode("idna")
    except ValueError as error:
        raise _host_error(host, str(error)) from error
    local = is_loopback(name)
    scheme = parts.scheme or ("http" if local else "https")
    problem = unless = ""
    if not re.fullmatch(r"[!-~]+", host):
        problem = "it holds a character that URLs can't have"
    elif not name:
        problem = "it names no host"
    elif parts.username is not None or parts.query or parts.fragment:
        problem = "it can't have credentials, a query or a fragment"
    elif scheme not in ("http", "https"):
        problem = f"unsupported scheme {scheme}: use https or http"
    elif parts.netloc.endswith(":"):
        problem = "its port is missing"
    elif scheme == "http" and not local and not allow_http:
        problem = "http would send the token unencrypted"
        unless = " (allow_http=True permits it)"
    if problem:
        raise _host_error(host, problem, unless)
    authority = f"[{name}]" if ":" in name else name
    if port is not None:
        authority = f"{authority}:{port}"
    path = parts.path.rstrip("/")
    below = f"{scheme}://{authority}{path}" if is_named else ""
    return f"{scheme}://{authority}{path or BASE_PATH}", below


def _host_error(host: str, problem: str, unless: str = "") -> InvalidRequestError:
    shown = host.rpartition("@")[2]  # A password can stand before the @ of a URL.
    others = f" Documented as well: {', '.join(SERVERS)}." if SERVERS else ""
    what, mend = f"host can't be {shown!r}: {problem}", f". Pass a name such as {HOST}.{others}"
    return InvalidRequestError(Problem(f"{what}{unless}{mend}", f"{what}{mend}"))
