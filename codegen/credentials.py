"""The security schemes of a document: how each is sent, and what callers give the client for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openapi_python_client.strings import PythonIdentifier

from codegen.document import ACCOUNT, Pointer, Problem, called_operations, nodes, resolved

# What every client has by itself. A credential of such a name gets an underscore.
OWN_ARGUMENTS = {
    *("host", "timeout", "max_retries", "look_up_timeout", "max_reply_bytes", "allow_http"),
    *("headers", "http_client", "self", "settings", "account", "base_url", "close", "aclose"),
    *("look_up", "compat"),
}
# Keys of a scheme, in other generators too, that hold `name` and `env` of its arguments.
_NAMES = {"basic": "x-fern-basic", "bearer": "x-fern-bearer"}
_NAMES_OF_KEY = "x-fern-header"


class Argument(NamedTuple):
    """An argument of the client's constructor, and the environment variable for it."""

    name: str
    variable: str
    about: str
    is_secret: bool
    must_be: str


class Scheme(NamedTuple):
    """A security scheme: `kind` is basic, bearer, or the place of an API key with this `name`."""

    kind: str
    name: str
    arguments: tuple[Argument, ...]


def kind_of(scheme: dict[str, Any]) -> str:
    """Name the way a scheme is sent; empty for one that the client does not have."""
    kind, http = scheme.get("type"), str(scheme.get("scheme")).lower()
    if kind in ("oauth2", "openIdConnect") or (kind, http) == ("http", "bearer"):
        return "bearer"
    if kind == "apiKey":
        return str(scheme["in"])
    return http if (kind, http) == ("http", "basic") else ""


def is_certificate(scheme: dict[str, Any]) -> bool:
    """Whether a scheme is a certificate of the connection, which the caller's own client has."""
    return scheme.get("type") == "mutualTLS"


def scheme_nodes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the security schemes of a document by name, references resolved."""
    found = document.get("components", {}).get("securitySchemes", {})
    return {name: resolved(document, node) for name, node in found.items()}


def ways_of(document: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    """List the ways to authorize an operation: in each, all schemes are used together.

    Ways that the client does not have are left out, if it has another. A way without schemes is
    the last one, so credentials are sent if there are any.
    """
    schemes = scheme_nodes(document)
    ways = [
        {name: scopes for name, scopes in way.items() if not is_certificate(schemes.get(name, {}))}
        for way in node.get("security", document.get("security", []))
    ]
    served = [way for way in ways if all(kind_of(schemes.get(name, {})) for name in way)] or ways
    served = sorted(served, key=lambda way: not way)
    return served if any(served) else []


def sent_ways(document: dict[str, Any], node: dict[str, Any]) -> list[list[tuple[str, str]]]:
    """List the ways to authorize an operation by what is sent: kind and name of each scheme."""
    found = scheme_nodes(document)
    ways = [[found.get(name, {}) for name in way] for way in ways_of(document, node)]
    return [sorted((kind_of(each), str(each.get("name", ""))) for each in way) for way in ways]


def sent_keys(document: dict[str, Any], node: dict[str, Any]) -> set[tuple[str, str]]:
    """List place and name, in lower case, of the API keys that an operation can ask for."""
    found = scheme_nodes(document)
    used = (found.get(name, {}) for way in node["security"] for name in way)
    return {(each["in"], each["name"].lower()) for each in used if each.get("type") == "apiKey"}


class Credentials:
    """What the clients of a document take, and when.

    Attributes:
        schemes: The security schemes that operations use, by name; HTTP Basic first.
        required: The names of those without which no operation can be called.
        arguments: What callers give.
        user: The argument that is the user name of HTTP Basic; empty if there is none.
        must_be: What the user name must be, if that is a UUID; else empty.
    """

    def __init__(
        self, document: dict[str, Any], prefix: str, renamed: Mapping[str, str] = {}
    ) -> None:
        """Read a document in its normal form; `prefix` begins the variables.

        `renamed` has other names for arguments, by their usual ones.
        """
        ways = [
            {*way} for _, node in called_operations(document) for way in node["security"] or [()]
        ]
        found = {
            name: _scheme(name, node, prefix, renamed)
            for name, node in scheme_nodes(document).items()
            if name in set().union(*ways)
        }
        by_kind = sorted(found, key=lambda name: found[name].kind != "basic")
        self.schemes = {name: found[name] for name in by_kind}
        self.required = [name for name in self.schemes if all(name in way for way in ways)]
        self.arguments = [one for scheme in self.schemes.values() for one in scheme.arguments]
        users = [one for one in self.arguments if not one.is_secret]
        self.user = users[0].name if users else ""
        self.must_be = users[0].must_be if users else ""


def _scheme(name: str, node: dict[str, Any], prefix: str, renamed: Mapping[str, str]) -> Scheme:
    kind = kind_of(node)
    about = str(node.get("description") or f"Of the security scheme {name}.")
    if kind == "basic":
        named = node.get(_NAMES["basic"], {})
        arguments = [
            _argument(f"{name}_{part}", named.get(part, {}), prefix, about, is_secret, renamed)
            for part, is_secret in (("username", False), ("password", True))
        ]
        return Scheme(kind, "authorization", tuple(arguments))
    named = node.get(_NAMES.get(kind, _NAMES_OF_KEY), {})
    header = "authorization" if kind == "bearer" else str(node.get("name", ""))
    if kind == "header":
        header = header.lower()
    return Scheme(kind, header, (_argument(name, named, prefix, about, True, renamed),))


def _argument(
    name: str,
    named: dict[str, Any],
    prefix: str,
    about: str,
    is_secret: bool,
    renamed: Mapping[str, str],
) -> Argument:
    plain = str(PythonIdentifier(str(named.get("name", name)), "key_"))
    python = f"{plain}_" if plain in OWN_ARGUMENTS else plain
    if python in renamed:
        plain = python = renamed[python]
    variable = re.sub(r"\W", "_", f"{prefix}_{plain}", flags=re.ASCII).upper().rstrip("_")
    about = str(named.get("description", about))
    must_be = str(named.get("x-must-be", "a UUID")) if named.get("format") == "uuid" else ""
    return Argument(python, str(named.get("env", variable)), about, is_secret, must_be)


def wrong_security(
    document: dict[str, Any], where: Pointer, node: dict[str, Any]
) -> Iterator[Problem]:
    """Find schemes of an operation that do not exist, that the client lacks, or that clash."""
    schemes = scheme_nodes(document)
    for index, way in enumerate(node["security"]):
        places: dict[tuple[str, str], str] = {}
        for name in way:
            place = (*where, "security", index, name)
            if name not in schemes:
                known = ", ".join(schemes) or "none"
                yield place, f'"{name}" is not a security scheme: use one of components ({known})'
            elif not (kind := kind_of(schemes[name])):
                what = f'"{name}" is not HTTP Basic, a bearer token or an API key'
                yield place, f"{what}, which are all that the client has: remove it"
            else:
                is_header = kind in ("basic", "bearer")
                header = "authorization" if is_header else str(schemes[name]["name"]).lower()
                same = "header" if is_header else kind, header
                if (other := places.setdefault(same, name)) != name:
                    what = f'"{name}" writes the {same[0]} {header}, as does "{other}"'
                    yield place, f"{what}: make two alternatives of them"


def wrong_arguments(document: dict[str, Any]) -> Iterator[Problem]:
    """Find credentials whose arguments have the same name, and an account without a user name."""
    first: dict[str, str] = {}
    credentials = Credentials(document, "")
    if not any(kind_of(node) == "basic" for node in scheme_nodes(document).values()):
        for kind, where, node in nodes(document):
            if kind == "parameter" and ACCOUNT in node:
                what = "is the user name of HTTP Basic, which the document does not have: remove it"
                yield (*where, ACCOUNT), what
    for name, scheme in credentials.schemes.items():
        for argument in scheme.arguments:
            if (other := first.setdefault(argument.name, name)) != name:
                what = f"has the argument {argument.name}=, like {other}: rename one"
                yield ("components", "securitySchemes", name), what
