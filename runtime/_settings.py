"""Reads the settings of a client from its arguments and the environment, and checks them."""

from __future__ import annotations

import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._contract import BASE_PATH, SERVERS
from ._encoding import headers as encode_headers
from ._errors import InvalidRequestError
from ._formats import FORMATS
from ._redaction import Secret, Secrets, secret_variants

DEFAULT_TIMEOUT = 30.0
DEFAULT_MAX_RETRIES = 2
DEFAULT_LOOK_UP_TIMEOUT = 10.0
DEFAULT_MAX_REPLY_BYTES = 10_000_000
VARIABLES = {
    "project": "SIGNALWIRE_PROJECT_ID",
    "token": "SIGNALWIRE_API_TOKEN",
    "host": "SIGNALWIRE_SPACE",
}
# The client sets these itself: a caller's value would break the request or its reply.
_OWN_HEADERS = {
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "expect"),
    *("host", "te", "transfer-encoding", "upgrade"),
}


class Settings(NamedTuple):
    """The checked settings of a client. `secrets` are texts that must not be shown."""

    project: str
    account: str
    base_url: str
    timeout: float | None
    max_retries: int
    look_up_timeout: float
    max_reply_bytes: int
    headers: dict[str, str]
    authorization: Secret[str]
    secrets: Secrets


def read_settings(
    *,
    project: Any,
    token: Any,
    host: str | None,
    timeout: float | None,
    max_retries: int,
    look_up_timeout: float,
    max_reply_bytes: int,
    allow_http: bool,
    headers: dict[str, str] | None,
) -> Settings:
    """Check all settings. Errors: `InvalidRequestError` that names every problem."""
    checks: dict[str, Callable[[], Any]] = {
        "project": lambda: _project(project),
        "token": lambda: _setting("token", token),
        "base_url": lambda: _base_url(_setting("host", host), allow_http=allow_http),
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
    token = checked.pop("token").reveal()
    pair = b64encode(f"{checked['project']}:{token}".encode()).decode()
    checked["account"] = checked["project"]
    return Settings(**checked, authorization=Secret(f"Basic {pair}"), secrets=_secrets(pair, token))


def hide_project(project: Any) -> Any:
    """Wrap a text that is not a Project ID: it may be the token, passed in the wrong place."""
    known = not isinstance(project, str) or FORMATS["uuid"][1].fullmatch(project)
    return project if known else Secret(project)


def hide_token(token: Any) -> Any:
    """Wrap the token so that no traceback shows it; of any other object keep only the type."""
    if isinstance(token, str):
        return Secret(token)
    return None if token is None else type(token)


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


def _setting(name: str, value: Any) -> Any:
    if value is None:
        hide = {"project": hide_project, "token": hide_token}.get(name, str)
        value = hide(os.environ.get(VARIABLES[name], ""))
    if problem := _problem(name, value.reveal() if isinstance(value, Secret) else value):
        raise InvalidRequestError(f"{name} {problem}.")
    return value


def _problem(name: str, value: Any) -> str:
    """Say what is wrong with a setting. No frame that raises holds the token."""
    if not value:
        return f"is missing: pass {name}= to the client, or set {VARIABLES[name]}"
    if not isinstance(value, str):
        kind = value if isinstance(value, type) else type(value)
        return f"must be text, got {kind.__name__}"
    if value != value.strip():
        return "begins or ends with blanks or a line break: remove them"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "holds half of a surrogate pair, which can't be sent"
    return ""


def _project(value: Any) -> str:
    project = _setting("project", value)
    if isinstance(project, Secret):
        raise InvalidRequestError(
            "project is not a Project ID. That is a UUID, such as "
            "b3877c40-da60-4998-90ad-b792e98472ac, on the API page of your Space."
        )
    return str(project)


def _secrets(pair: str, token: str) -> Secrets:
    # A short token could be part of any word; the service does not issue such.
    known = (pair, token, b64encode(token.encode()).decode()) if len(token) >= 8 else (pair,)
    found = {variant for text in known for variant in secret_variants(text.rstrip("="))}
    return Secret(tuple(sorted(found, key=len, reverse=True)))


def _base_url(host: str, *, allow_http: bool) -> str:
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
    problem = ""
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
        problem = "http would send the token unencrypted (allow_http=True permits it)"
    if problem:
        raise _host_error(host, problem)
    authority = f"[{name}]" if ":" in name else name
    if port is not None:
        authority = f"{authority}:{port}"
    return f"{scheme}://{authority}{parts.path.rstrip('/') or BASE_PATH}"


def _host_error(host: str, problem: str) -> InvalidRequestError:
    shown = host.rpartition("@")[2]  # A password can stand before the @ of a URL.
    others = f" Documented as well: {', '.join(SERVERS)}." if SERVERS else ""
    return InvalidRequestError(
        f"host can't be {shown!r}: {problem}. "
        f"Pass a name such as your-space.signalwire.com.{others}"
    )
