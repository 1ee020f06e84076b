"""Rows for credentials: the security of an operation, what callers give, and what is sent."""

from __future__ import annotations

from typing import Any, NamedTuple

from signalwire_compat_mock import DEFAULT_TOKEN

TOKEN = DEFAULT_TOKEN
BEARER = f"authorization: Bearer {TOKEN}"
SCHEMES: dict[str, Any] = {
    "Login": {"type": "http", "scheme": "basic"},
    "Bearer": {"type": "http", "scheme": "Bearer"},
    "OAuth": {"type": "oauth2", "flows": {}},
    "OpenId": {"type": "openIdConnect", "openIdConnectUrl": "https://shop.example/id"},
    "HeaderKey": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "QueryKey": {"type": "apiKey", "in": "query", "name": "api key"},
    "cookie-key": {"type": "apiKey", "in": "cookie", "name": "key"},
    "Named": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Named",
        "x-fern-header": {"name": "shopKey", "env": "SHOP_KEY"},
    },
    "timeout": {"type": "apiKey", "in": "header", "name": "X-Timeout"},
    "Certificate": {"type": "mutualTLS"},
    "Digest": {"type": "http", "scheme": "digest"},
}


class Row(NamedTuple):
    """The security of an operation, credentials, and what is sent: headers, or the query."""

    name: str
    security: list[dict[str, Any]]
    given: dict[str, str]
    sent: str
    missing: str = ""


def needs(*names: str) -> dict[str, Any]:
    return {name: [] for name in names}


def either(one: str, other: str) -> str:
    prefix = "SIGNALWIRE"
    first, second = (f"{name}= (or {prefix}_{name.upper()})" for name in (one, other))
    return f"{first}, or with {second}"


BOTH = [needs("HeaderKey"), needs("Bearer")]
ROWS = [
    Row("basic", [needs("Login")], {"login_username": "ann", "login_password": TOKEN}, "authorization: Basic YW5uOlBUbW9jay10b2tlbi1vZi1uby1hY2NvdW50", "login_username="),
    Row("bearer", [needs("Bearer")], {"bearer": TOKEN}, BEARER, "bearer= (or SIGNALWIRE_BEARER)"),
    Row("oauth", [{"OAuth": ["read"]}], {"o_auth": TOKEN}, BEARER, "o_auth="),
    Row("open_id", [needs("OpenId")], {"open_id": TOKEN}, BEARER, "open_id="),
    Row("header", [needs("HeaderKey")], {"header_key": TOKEN}, f"x-key: {TOKEN}", "header_key="),
    Row("query", [needs("QueryKey")], {"query_key": TOKEN}, f"?api+key={TOKEN}", "query_key="),
    Row("cookie", [needs("cookie-key")], {"cookie_key": TOKEN}, f"cookie: key={TOKEN}", "cookie_key="),
    Row("named", [needs("Named")], {"shop_key": TOKEN}, f"x-named: {TOKEN}", "shop_key= (or SHOP_KEY)"),
    Row("taken", [needs("timeout")], {"timeout_": TOKEN}, f"x-timeout: {TOKEN}", "timeout_="),
    Row("first", BOTH, {"header_key": TOKEN, "bearer": TOKEN}, f"x-key: {TOKEN}", either("header_key", "bearer")),
    Row("second", BOTH, {"bearer": TOKEN}, BEARER),
    Row("together", [needs("HeaderKey", "QueryKey")], {"header_key": TOKEN, "query_key": TOKEN}, f"x-key: {TOKEN}\n?api+key={TOKEN}", "header_key= (or SIGNALWIRE_HEADER_KEY) and query_key="),
    Row("optional", [{}, needs("Bearer")], {"bearer": TOKEN}, BEARER),
    Row("optional_key", [{}, needs("QueryKey")], {"query_key": TOKEN}, f"?api+key={TOKEN}"),
    Row("anonymous", [{}, needs("Bearer")], {}, ""),
    Row("certificate", [needs("Certificate")], {}, ""),
    Row("served", [needs("Digest"), needs("Bearer")], {"bearer": TOKEN}, BEARER),
]  # fmt: skip


def document(*rows: Row, security: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    done = {"responses": {"200": {"description": "Done."}}, "tags": ["shop"]}
    paths: dict[str, Any] = {
        f"/{row.name}": {"get": {"operationId": row.name, "security": row.security, **done}}
        for row in rows
    }
    for name in ("root", "open"):
        paths[f"/{name}"] = {"get": {"operationId": name, **done}}
    paths["/open"]["get"]["security"] = []
    parameter = {"name": "X-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    paths["/root"]["get"]["parameters"] = [parameter]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": paths,
        "security": security or [needs("HeaderKey")],
        "components": {"securitySchemes": SCHEMES},
    }
