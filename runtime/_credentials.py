"""The credentials of a client, and what each security scheme of the contract adds to a request."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus

import httpx

from ._contract import REQUIRED, SCHEMES, USER_IS, VARIABLES
from ._errors import InvalidRequestError
from ._formats import FORMATS
from ._redaction import Secret, Secrets, secret_variants
from ._request import Request

_ALLOWED = {"bearer": "[!-~]+", "header": "[ -~]+"}


class Credential(NamedTuple):
    """What a scheme adds to a request: a `header`, a `cookie`, or a member of the `query`."""

    place: str
    name: str
    text: Secret[str]


class Credentials(NamedTuple):
    """The checked credentials of a client. `user` is the user name of HTTP Basic."""

    user: str
    by_scheme: Mapping[str, Credential]
    secrets: Secrets


class Problem(str):
    """A problem with a setting, in the words of a program. `what` has none of Python's.

    `missing` names the setting, if nothing gave it.
    """

    what: str
    missing: str

    def __new__(cls, text: str, what: str = "", missing: str = "") -> Problem:
        """Make it; a copy of a pickle gets the rest later."""
        made = super().__new__(cls, text)
        made.what, made.missing = what, missing
        return made


class _HiddenURL(httpx.URL):
    """A URL with a secret in its query, which no log, error or `repr` shows."""

    def __init__(self, url: httpx.URL, shown: str) -> None:
        super().__init__(url)
        self._shown = shown

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"URL({self._shown!r})"


def hide(secret: Any) -> Any:
    """Wrap a secret so that no traceback shows it; of any other object keep only the type."""
    if isinstance(secret, str):
        return Secret(secret)
    return None if secret is None else type(secret)


def hide_user(user: Any) -> Any:
    """Wrap a text that can't be the user name: it may be a secret, passed in the wrong place."""
    known = not USER_IS or not isinstance(user, str) or FORMATS["uuid"][1].fullmatch(user)
    return user if known else Secret(user)


def read_credentials(given: Mapping[str, Any]) -> Credentials:
    """Check the credentials, given by argument, with the secrets hidden.

    Those left out come from the environment. Errors: `InvalidRequestError` names every problem.
    """
    problems: list[str] = []
    secrets: list[Secret[str]] = []
    user, found = "", {}
    for scheme, (kind, sent_as, arguments) in SCHEMES.items():
        values = [
            _from_environment(name, hide if name == arguments[-1] else hide_user)
            if given.get(name) is None
            else given[name]
            for name in arguments
        ]
        if scheme not in REQUIRED and all(value is None for value in values):
            continue
        wrong = [
            _problem(kind, name, value, is_user=name != arguments[-1])
            for name, value in zip(arguments, values, strict=True)
        ]
        if any(wrong):
            problems += filter(None, wrong)
            continue
        text = secret = values[-1]
        if kind == "basic":
            user = user or values[0]
            pair = Secret(b64encode(f"{values[0]}:{secret.reveal()}".encode()).decode())
            text = Secret(f"Basic {pair.reveal()}")
            secrets.append(pair)
        elif kind == "bearer":
            text = Secret(f"Bearer {secret.reveal()}")
        secrets.append(secret)
        place = "header" if kind in ("basic", "bearer") else kind
        found[scheme] = Credential(place, sent_as, text)
    if problems:
        raise InvalidRequestError(" ".join(problems), problems=problems)
    return Credentials(user, found, _variants(secrets))


def attach(prepared: httpx.Request, request: Request, credentials: Credentials) -> None:
    """Add the credentials of the first way for which there are all.

    A parameter of the call with the name of an API key is sent in its place.
    Errors: `InvalidRequestError` if the client has not enough of them.
    """
    known = credentials.by_scheme
    ways = (way for way in request.security if known.keys() >= {*way})
    chosen = next(ways, None if request.security else ())
    if chosen is None:
        raise InvalidRequestError(_missing(request), **request.context)
    for place, name, text in (known[scheme] for scheme in chosen):
        if place == "header":
            if name not in prepared.headers:
                prepared.headers[name] = text.reveal()
        elif place == "cookie":
            cookies = prepared.headers.get("cookie", "")
            if f"; {name}=" not in f"; {cookies}":
                pair = f"{name}={quote(text.reveal(), safe='')}"
                prepared.headers["cookie"] = f"{cookies}; {pair}" if cookies else pair
        elif name not in dict(parse_qsl(request.query, keep_blank_values=True)):
            _add_to_query(prepared, quote_plus(name), text)


def _add_to_query(prepared: httpx.Request, name: str, text: Secret[str]) -> None:
    url, joint = prepared.url, "&" if prepared.url.query else ""
    query = f"{url.query.decode()}{joint}{name}="
    shown = f"{str(url).partition('?')[0]}?{query}[secret]"
    whole = url.copy_with(query=f"{query}{quote_plus(text.reveal())}".encode())
    prepared.url = _HiddenURL(whole, shown)


def _missing(request: Request) -> str:
    ways = []
    for way in request.security:
        arguments = [argument for scheme in way for argument in SCHEMES[scheme][2]]
        ways.append(" and ".join(f"{name}= (or {VARIABLES[name]})" for name in arguments))
    return f"the client has no credentials for it: make one with {', or with '.join(ways)}."


def _from_environment(argument: str, hidden: Callable[[Any], Any]) -> Any:
    return hidden(os.environ.get(VARIABLES[argument]) or None)


def _problem(kind: str, argument: str, value: Any, *, is_user: bool) -> str:
    """Say what is wrong with a credential. No frame that raises holds it."""
    text = value.reveal() if isinstance(value, Secret) else value
    if problem := text_problem(argument, text):
        return problem
    if is_user:
        if isinstance(value, Secret):
            return f"{argument} is not {USER_IS}."
        what = f"{argument} can't hold a colon: HTTP Basic ends it there."
        return what if ":" in text else ""
    if not re.fullmatch(_ALLOWED.get(kind, r"[ -~\xa0-\xff]+"), text):
        return f"{argument} holds a line break or a character that can't be sent: copy it again."
    return ""


def text_problem(name: str, value: Any) -> str:
    """Say what is wrong with a setting that is text; empty if nothing is."""
    if not value:
        what, how = f"{name} is missing", f"pass {name}= to the client, or set {VARIABLES[name]}"
        return Problem(f"{what}: {how}.", what, name)
    if not isinstance(value, str):
        kind = value if isinstance(value, type) else type(value)
        return f"{name} must be text, got {kind.__name__}."
    if value != value.strip():
        return f"{name} begins or ends with blanks or a line break: remove them."
    if any("\ud800" <= character <= "\udfff" for character in value):
        return f"{name} holds half of a surrogate pair, which can't be sent."
    return ""


def _variants(secrets: list[Secret[str]]) -> Secrets:
    """List what no text may show: the secrets, and how a server may write them."""
    found: set[str] = set()
    for secret in secrets:
        text = secret.reveal()
        # A short one could be part of any word; services do not issue such.
        for known in (text, b64encode(text.encode()).decode()) if len(text) >= 8 else ():
            found |= {*secret_variants(known.rstrip("="))}
    return Secret(tuple(sorted(found, key=len, reverse=True)))
