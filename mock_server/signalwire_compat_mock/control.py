"""What a program in any language uses to control the mock: its journal, faults and clock."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import explorer
from .faults import read_members
from .parsing import is_json, media_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from .journal import Journal
    from .server import MockServer


def routes(mock: MockServer, journal: Journal) -> list[BaseRoute]:
    """Return the routes that do over HTTP what the methods of `MockServer` do."""

    async def use_journal(request: Request) -> Response:
        if request.method == "DELETE":
            journal.clear()
            return Response(status_code=204)
        if explorer.wants_page(request):
            return explorer.page("journal")
        last = request.query_params.get("last", "0")
        if not re.fullmatch("[0-9]{1,9}", last):
            return _refuse("last must be a whole number of at most nine digits")
        version, total, exchanges = journal.view(int(last))
        headers = {"etag": f'"{version}"', "journal-length": str(total)}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        view = [exchange.as_json(mock.token, journal.keys) for exchange in exchanges]
        return JSONResponse(view, headers=headers)

    async def list_numbers(_: Request) -> Response:
        return JSONResponse(mock.phone_numbers(None))

    async def reset(_: Request) -> Response:
        mock.reset()
        return Response(status_code=204)

    def add_fault(members: Any) -> None:
        mock.inject(**read_members(members))

    def move_clock(steps: Any) -> None:
        if not isinstance(steps, dict) or not steps or steps.keys() - {"days", "seconds"}:
            raise ValueError("a step is a JSON object with days, seconds or both")
        mock.advance(**steps)

    return [
        Route("/journal", use_journal, methods=["GET", "DELETE"]),
        Route("/journal/phone_numbers", list_numbers, methods=["GET"]),
        Route("/reset", reset, methods=["POST"]),
        Route("/faults", _taking_json(add_fault), methods=["POST"]),
        Route("/clock", _taking_json(move_clock), methods=["POST"]),
    ]


def _taking_json(use: Callable[[Any], None]) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of a function that takes the JSON of a body, and raises `ValueError`."""

    async def endpoint(request: Request) -> Response:
        # A web page of another origin may send a form or text without asking, but no JSON.
        if not is_json(media_type(request.headers.get("content-type", ""))):
            return _refuse("send JSON, with the header Content-Type: application/json", 415)
        try:
            use(json.loads(await request.body()))
        except (RecursionError, ValueError) as error:
            return _refuse(str(error))
        return Response(status_code=204)

    return endpoint


def _refuse(message: str, status: int = 400) -> Response:
    return JSONResponse({"message": f"{message}."}, status)
