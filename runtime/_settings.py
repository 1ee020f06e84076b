"""Checks the settings of a client, and reads those that the environment holds."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from ._contract import BASE_PATH, SERVERS
from ._encoding import headers as _checked
from ._errors import InvalidRequestError
from ._network import is_loopback
from ._redaction import NoProjectId, Secret, forms

VARIABLES = {
    "project": "SIGNALWIRE_PROJECT_ID",
    "token": "SIGNALWIRE_API_TOKEN",
    "host": "SIGNALWIRE_SPACE",
}


# What these say is decided by the client; a caller's value would break the request or its reply.
_OWN_HEADERS = {
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "expect"),
    *("host", "te", "transfer-encoding", "upgrade"),
}


class Problems(list[str]):
    """What is wrong with the settings: each `with` checks one more of them."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if isinstance(error, InvalidRequestError):
            self.extend(error.problems)
        return isinstance(error, InvalidRequestError)


def setting(name: str, given: str | None) -> str:
    variable = VARIABLES[name]
    value = given
    if given is None:
        value = os.environ.get(variable) if name != "token" else hidden(os.environ.get(variable))
    if not value:
        raise InvalidRequestError(
            f"{name} is missing: pass {name}= to the client, or set {variable}."
        )
    if not isinstance(value, str):
        kind = value if isinstance(value, type) else type(value)
        raise InvalidRequestError(f"{name} must be text, got {kind.__name__}.")
    if value != value.strip():
        raise InvalidRequestError(
            f"{name} begins or ends with blanks or a line break: cut them off."
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidRequestError(f"{name} holds half of a surrogate pair, which can't be sent.")
    return value


def project_id(given: str | None) -> str:
    project = setting("project", given)
    if ":" in project:
        raise InvalidRequestError("project can't hold a colon: HTTP Basic ends it there.")
    return project if re.fullmatch(r"[0-9a-fA-F-]{36}", project) else NoProjectId(project)


def secret_variants(pair: str, token: str) -> tuple[str, ...]:
    # A short token is a word that any text may hold; the service gives none.
    known = (pair, token, b64encode(token.encode()).decode()) if len(token) >= 8 else (pair,)
    found = {Secret(form) for text in known for form in forms(text.rstrip("="))}
    return tuple(sorted(found, key=len, reverse=True))


def timeout_seconds(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 < seconds < 1e9:
        raise InvalidRequestError(
            f"timeout must be seconds above 0 and below 1e9, or None, got {seconds!r}."
        )
    return seconds


def base_url_of(host: str, *, allow_http: bool) -> str:
    if "://" not in host and host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    problem = "" if re.fullmatch(r"[!-~]+", host) else "it holds a character that no URL has"
    url = host if "://" in host else f"//{host}"
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
        (name or "").encode("idna")
    except ValueError as error:
        raise InvalidRequestError(_host_message(host, str(error))) from error
    if not problem and not name:
        problem = "it names no host"
    if not problem and (parts.username is not None or parts.query or parts.fragment):
        problem = "credentials, a query and a fragment have no place in it"
    if not problem and parts.scheme not in ("", "http", "https"):
        problem = f"{parts.scheme} is not a scheme that can be spoken"
    if not problem and parts.netloc.endswith(":"):
        problem = "its port is missing"
    local = is_loopback(name or "")
    scheme = parts.scheme or ("http" if local else "https")
    if not problem and scheme == "http" and not local and not allow_http:
        problem = "http would carry the token unencrypted (allow_http=True permits it)"
    if problem or not name:
        raise InvalidRequestError(_host_message(host, problem))
    authority = f"[{name}]" if ":" in name else name
    if port is not None:
        authority = f"{authority}:{port}"
    return f"{scheme}://{authority}{parts.path.rstrip('/') or BASE_PATH}"


def _host_message(host: str, problem: str) -> str:
    # A password can stand before the @ of a URL.
    shown = host.rpartition("@")[2]
    others = f" Documented as well: {', '.join(SERVERS)}." if SERVERS else ""
    hint = f"Pass a name such as your-space.signalwire.com.{others}"
    return f"host can't be {shown!r}: {problem}. {hint}"


def whole_number(name: str, value: int, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name} must be a whole number from {least}, got {value!r}.")
    return value


def extra_headers(headers: dict[str, str]) -> dict[str, str]:
    written = _checked(headers)
    if own := sorted(written.keys() & _OWN_HEADERS):
        raise InvalidRequestError(f"the header {own[0]} is the client's own: leave it out.")
    return written


def hidden(token: Any) -> Any:
    # Of what is no text, nothing but the type is needed to refuse it.
    return Secret(token) if isinstance(token, str) else None if token is None else type(token)
