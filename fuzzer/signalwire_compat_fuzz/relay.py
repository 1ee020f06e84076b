"""A server that hands each request on to another one, and keeps what arrived and what came back."""

import threading
import time
from typing import Any, Self

import httpx
import uvicorn
from signalwire_compat_mock import Exchange
from signalwire_compat_mock.parsing import read_request
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_OF_A_CONNECTION = {"connection", "content-encoding", "content-length", "transfer-encoding"}


class Relay:
    """Like a mock, it has a `url` and a `journal`; `target` answers, an address without a path."""

    def __init__(self, target: str) -> None:
        self._target = httpx.URL(target)
        self.journal: list[Exchange] = []

    def __enter__(self) -> Self:
        settings: dict[str, Any] = {"port": 0, "http": "h11", "lifespan": "off", "log_config": None}
        self._server = uvicorn.Server(uvicorn.Config(self, "127.0.0.1", **settings))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def reset(self) -> None:
        self.journal = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        came = await read_request(Request(scope, receive))
        raw = came.path + (f"?{came.query}" if came.query else "")
        headers = [(n, v) for n, v in came.headers if n not in {*_OF_A_CONNECTION, "host"}]
        url = self._target.copy_with(raw_path=raw.encode("latin-1"))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            reply = await client.request(came.method, url, headers=headers, content=came.body)
        request = (
            came.method,
            came.path,
            came.query,
            came.headers,
            came.body,
            came.form,
            came.json,
        )
        self.journal.append(Exchange(*request, None, reply.status_code, reply.content, None))
        kept = {n: v for n, v in reply.headers.items() if n not in _OF_A_CONNECTION}
        await Response(reply.content, reply.status_code, kept)(scope, receive, send)
