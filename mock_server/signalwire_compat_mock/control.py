"""What a program in any language uses to control the mock: its journal, faults and clock."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import explorer
from .faults import read_members

if TYPE_CHECKING:
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
            return _bad_request("last must be a whole number of at most nine digits")
        version, total, exchanges = journal.view(int(last))
        headers = {"etag": f'"{version}"', "journal-length": str(total)}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        view = [exchange.as_json(mock.token) for exchange in exchanges]
        return JSONResponse(view, headers=headers)

    async def reset(_: Request) -> Response:
        mock.reset()
        return Response(status_code=204)

    async def add_fault(request: Request) -> Response:
        try:
            mock.inject(**read_members(json.loads(await request.body())))
        except (RecursionError, ValueError) as error:
            return _bad_request(str(error))
        return Response(status_code=204)

    async def move_clock(request: Request) -> Response:
        try:
            steps = json.loads(await request.body())
            if not isinstance(steps, dict) or not steps or steps.keys() - {"days", "seconds"}:
                return _bad_request("a step is a JSON object with days, seconds or both")
            mock.advance(**steps)
        except (RecursionError, ValueError) as error:
            return _bad_request(str(error))
        return Response(status_code=204)

    return [
        Route("/journal", use_journal, methods=["GET", "DELETE"]),
        Route("/reset", reset, methods=["POST"]),
        Route("/faults", add_fault, methods=["POST"]),
        Route("/clock", move_clock, methods=["POST"]),
    ]


def _bad_request(message: str) -> Response:
    return JSONResponse({"message": f"{message}."}, status_code=400)
