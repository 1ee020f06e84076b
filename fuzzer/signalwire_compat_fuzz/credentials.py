"""The credentials of a call: what a client takes, and what it must send, as the document says.

Written without the client's own code.
"""

import base64
import inspect
from collections.abc import Iterator
from typing import Any

from . import document as doc
from .document import AnyCase, Schema
from .options import setting

# Schemathesis takes no password with a colon.
_SIGNS = "".join(map(chr, range(ord("!"), ord("~") + 1))).replace(":", "")
# In Base64, one in three of the last signs ends in a plus, the others in a slash.
_OF_A_MOCK = f"b3877c40-da60-4998-90ad-b792e98472ac:PT{_SIGNS}>>>???"
PROJECT, _, TOKEN = setting("auth", _OF_A_MOCK).partition(":")
"""User name and token. Without settings they are made up, and only a mock accepts them."""
if setting("header") and not setting("auth"):  # Such as `Authorization: Bearer abc`.
    TOKEN = setting("header").splitlines()[0].split()[-1]


def given(client: Any, user: str, token: str) -> dict[str, str]:
    """Return arguments for each credential that a class of clients takes."""
    taken = inspect.signature(client).parameters.values()
    names = [one.name for one in taken if one.annotation == "str | None" and one.name != "host"]
    schemes = (scheme for _, _, operation in doc.operations() for scheme in _used(operation))
    has_user = any(_kind(scheme) == "basic" for scheme in schemes)
    # The user name of HTTP Basic comes first.
    return {name: user if has_user and name == names[0] else token for name in names}


def sent(case: AnyCase) -> Iterator[tuple[str, str, str]]:
    """List what the credentials add to a request: place, name and text."""
    for scheme in _used(case.operation.definition.raw):
        kind = _kind(scheme)
        if kind == "basic":
            pair = base64.b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()
            yield "header", "Authorization", f"Basic {pair}"
        elif kind == "bearer":
            yield "header", "Authorization", f"Bearer {TOKEN}"
        else:
            yield scheme["in"], scheme["name"], TOKEN


def _used(operation: Schema) -> list[Schema]:
    """Return the schemes of the first alternative of an operation that clients support."""
    known = doc.DOCUMENT.get("components", {}).get("securitySchemes", {})
    for way in operation.get("security", doc.DOCUMENT.get("security", [])):
        schemes = [doc.resolved(known[name]) for name in way]
        schemes = [scheme for scheme in schemes if scheme["type"] != "mutualTLS"]
        if schemes and all(map(_kind, schemes)):
            return schemes
    return []


def _kind(scheme: Schema) -> str:
    """Return `basic`, `bearer` or `key`; empty for a scheme that clients do not support."""
    if scheme["type"] in ("oauth2", "openIdConnect"):
        return "bearer"
    if scheme["type"] == "apiKey":
        return "key"
    http = str(scheme.get("scheme")).lower()
    return http if http in ("basic", "bearer") else ""
