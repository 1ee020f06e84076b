"""A small server of shop.yaml, by hand and without anything of this project.

    python shop.py [BUG ...]

It prints its address, with a free port, and has each of the BUGS that is named. It knows others,
too: `rare pair`, a failure for two values that meet; `long coupon` and `long zip`; `zip is lost`;
`no default`; `changes`, an operation with a bug of its own; `odd text`; `repeats headers`; `slow`;
`high limit`; `crash`, which ends it; and `no note is null`: null is taken for no note.
"""

import base64
import json
import os
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

BUGS = ("one digit too many", "no echo", "rare failure", "wrong type")
AUTH = "6d0f2cb2-8a37-4a29-9d0f-3b3f2a3f9f10:secret"
KEY = f"Basic {base64.b64encode(AUTH.encode()).decode()}"
MEMBERS = {"code", "note", "gift", "coupon", "to"}
ORDERS: dict[str, dict[str, Any]] = {}
PLANTED: list[str] = []


def read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # One packet for each reply: several would wait for one another.

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._is_allowed():
            return
        if self.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            self._send(422, {"error": "not JSON"})
            return
        order = read(body)
        if not self._is_order(order):
            self._send(422, {"error": "not an order"})
        elif "crash" in PLANTED and "%" in (order.get("note") or ""):
            os._exit(1)
        elif "rare pair" in PLANTED and order.get("gift") and len(order.get("note") or "") == 100:
            self._send(500, {"error": "no label is that long"})
        elif "rare failure" in PLANTED and "%" in (order.get("note") or ""):
            self._send(500, {"error": "unsupported format character"})
        else:
            made = {"id": f"o{len(ORDERS):07}", "note": None, "gift": False, **order}
            if "no echo" in PLANTED and "gift" in order:
                made["note"] = None
            if "to" in order:
                default = {} if "no default" in PLANTED else {"country": "US"}
                made["to"] = default | order["to"]
            if "zip is lost" in PLANTED and "to" in order:
                made["to"].pop("zip", None)
            ORDERS[made["id"]] = made
            self._send(201, made)

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._is_allowed():
            return
        order = ORDERS.get(unquote(urlsplit(self.path).path.rpartition("/")[2]))
        change = read(body)
        code = change.get("code") if isinstance(change, dict) else None
        if order is None:
            self._send(404, {"error": "no such order"})
        elif isinstance(code, str) and re.fullmatch("[0-9]{5,6}", code, re.ASCII):
            self._send(200, {**order, "code": code})
        else:
            self._send(422, {"error": "not a code"})

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if not self._is_allowed():
            return
        if url.path == "/prices":
            given = parse_qsl(url.query, keep_blank_values=True)
            limits = [value for name, value in given if name == "limit"]
            allowed = "[1-9]|[1-4][0-9]|5" + ("[01]" if "high limit" in PLANTED else "0")
            if not all(re.fullmatch(allowed, limit, re.ASCII) for limit in limits):
                self._send(422, {"error": "not a limit"})
                return
            cents: Any = "100" if "wrong type" in PLANTED else 100
            cents = "\x01" if "odd text" in PLANTED else cents
            cents = [*self.headers.values()] if "repeats headers" in PLANTED else cents
            self._send(200, [{"code": "12345", "cents": cents}])
        elif order := ORDERS.get(unquote(url.path.rpartition("/")[2])):
            self._send(200, order)
        else:
            self._send(404, {"error": "no such order"})

    def _other(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._is_allowed()

    do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_TRACE = do_QUERY = _other

    def _is_order(self, order: Any) -> bool:
        if not isinstance(order, dict) or order.keys() - MEMBERS:
            return False
        most = 6 if "one digit too many" in PLANTED else 5
        code, note = order.get("code"), order.get("note", "")
        if "no note is null" in PLANTED and note is None:
            note = ""
        return (
            isinstance(code, str)
            and re.fullmatch(f"[0-9]{{5,{most}}}", code, re.ASCII) is not None
            and isinstance(note, str)
            and len(note) <= 100
            and isinstance(order.get("gift", False), bool)
            and self._is_text(order, "coupon", "[A-Z][0-9]{4}", "long coupon")
            and isinstance(order.get("to", {}), dict)
            and self._is_text(order.get("to", {}), "zip", "[0-9]{5}", "long zip")
            and order.get("to", {}).get("country", "US") in ("US", "CA")
        )

    def _is_text(self, members: Any, name: str, pattern: str, bug: str) -> bool:
        text = members.get(name, None if name in members else ...)
        more = "[0-9]?" if bug in PLANTED else ""
        is_text = isinstance(text, str) and re.fullmatch(pattern + more, text, re.ASCII) is not None
        return text is ... or is_text

    def _is_allowed(self) -> bool:
        time.sleep(0.05 if "slow" in PLANTED else 0)
        path = urlsplit(self.path).path
        known = [("/orders", "POST"), ("/prices", "GET"), ("/orders/[^/]+", "GET")]
        known += [("/orders/[^/]+", "PATCH")] if "changes" in PLANTED else []
        allowed = [verb for name, verb in known if re.fullmatch(name, path)]
        if not allowed:
            self._send(404, {"error": "no such path"})
        elif self.command not in allowed:
            self._send(405, {"error": "no such method"}, allow=", ".join(allowed))
        elif self.headers.get("Authorization") != KEY:
            self._send(401, {"error": "wrong key"})
        return self.command in allowed and self.headers.get("Authorization") == KEY

    def _send(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        if "odd text" in PLANTED:
            content = content.replace(rb"\u0001", b"\1")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    PLANTED += sys.argv[1:]
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
