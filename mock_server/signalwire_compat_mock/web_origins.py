"""Keeps web pages of other origins away from the mock, which a developer's browser can reach."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match

from .explorer import wants_page

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Swagger UI needs inline styles. Nothing is loaded from, or sent to, another host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
_WRONG_HOST = "This mock serves only its own machine: call it by localhost or a loopback address."
_FOREIGN = "Web pages of other origins can't use the pages and controls of the mock."
_CLOSED = "Web pages of other origins can't use the API, unless --allow-origin names their origin."
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#A-Z]+")


def check_origins(origins: Collection[str]) -> tuple[str, ...]:
    """Return the origins. Errors: `ValueError` if one of them can't be what a browser sends."""
    if isinstance(origins, str):
        raise ValueError("allow_origins is one text: give a list of origins")
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            shape = "scheme, host and port without a path, such as http://localhost:3000, or *"
            raise ValueError(f"{origin!r} is not an origin: give {shape}")
    return tuple(origins)


class Gate:
    """An application that checks where a request comes from, then calls one of two others.

    `own` has the pages and the control paths, `api` everything else. A mock on a loopback address
    answers only to the names of one, and to `host`: another name can be a web site that points to
    this machine (DNS rebinding). Web pages of the `origins` may use `api`, by CORS.
    """

    def __init__(
        self,
        own: Starlette,
        api: ASGIApp,
        host: str,
        origins: Collection[str],
        *,
        is_loopback: bool,
    ) -> None:
        """Take the applications and the address that the mock listens on."""
        self._own, self._host, self._is_loopback = own, host, is_loopback
        self._api, self._origins = api, origins
        if origins:
            self._api = CORSMiddleware(api, origins, ["*"], ["*"], expose_headers=["*"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope)
        own = any(route.matches(scope)[0] != Match.NONE for route in self._own.routes)
        if self._is_loopback and not self._is_named(request.headers.get("host", "localhost")):
            app: ASGIApp = JSONResponse({"message": _WRONG_HOST}, 421, _HEADERS)
        elif self._is_refused(request, own=own):
            app = JSONResponse({"message": _FOREIGN if own else _CLOSED}, 403, _HEADERS)
        else:
            app = self._own if own else self._api
        await app(scope, receive, _with_headers(send) if own else send)

    def _is_named(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name == self._host.lower() or f".{name}".endswith(".localhost"):
                return True
            return ip_address(name).is_loopback
        except ValueError:
            return False

    def _is_refused(self, request: Request, *, own: bool) -> bool:
        origin = request.headers.get("origin")
        if origin is not None and not own and {origin, "*"} & {*self._origins}:
            return False
        return _is_foreign(request) and not _reads_a_page(request, own=own)


def _is_foreign(request: Request) -> bool:
    """Whether a web page of another origin sent it. Only browsers set these headers."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        return True
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _reads_a_page(request: Request, *, own: bool) -> bool:
    """Whether it follows a link to a page. A page shows nothing until its own scripts ask."""
    path = request.url.path
    if request.method not in ("GET", "HEAD"):
        return False
    if path in ("/", "/journal"):
        return wants_page(request)
    return own and not path.startswith("/journal/")


def _with_headers(send: Send) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return send_more
