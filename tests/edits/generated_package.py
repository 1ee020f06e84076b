"""Generate the package of an edited contract, import it under a name of its own, and call it."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import json
import re
import shutil
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import FileSystemBytecodeCache
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from codegen import generate
from tests.conftest import PROJECT
from tests.edits.helpers import Document, Edit, Row, find

_MODULE = """
from __future__ import annotations
import datetime
import io
import pytest
from typing import assert_type
from {package} import AsyncRestClient, RestClient, Unset, models as m
from {package}.types import File

def call(client: RestClient) -> None:
    compat = client.compat
{code}

async def acall(client: AsyncRestClient) -> None:
    compat = client.compat
{async_code}
"""


def edited(edit: Edit, contract: Document) -> Document:
    """Copy the contract with an edit, without the examples of the request, which it may break."""
    document = copy.deepcopy(contract)
    for media in find(document, "purchase requestBody content").values():
        media.pop("examples", None)
    edit(document)
    return document


def write_spec(document: Document, spec: Path) -> Path:
    """Write a contract to a file, as JSON, which YAML includes."""
    spec.parent.mkdir(parents=True, exist_ok=True)
    spec.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    return spec


def generated(document: Document, folder: Path, shared: Path) -> Path:
    """Generate the package of a contract in a folder, unformatted, and write the contract there.

    `shared` caches compiled templates and packages for every process of a run.
    """
    spec = write_spec(document, folder / "openapi.yaml")
    package = folder / "signalwire_compat"
    cached = shared / hashlib.sha256(spec.read_bytes()).hexdigest()
    if cached.exists():
        shutil.copytree(cached, package)
        return package
    generate.generate(spec, package, hooks=False, compiled=FileSystemBytecodeCache(str(shared)))
    # Another process may have been quicker; its package is the same.
    with contextlib.suppress(OSError):
        shutil.copytree(package, folder / "copy").rename(cached)
    return package


def calling_module(row: Row, package: str) -> str:
    """Write a module that calls the package, sync and async."""
    codes = row.code, re.sub(r"compat\.(?=\w+\.\w+\()", "await compat.", row.code)
    code, async_code = (textwrap.indent(code, "    ") for code in codes)
    return _MODULE.format(package=package, code=code, async_code=async_code)


def call(row: Row, module: ModuleType, spec: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Run the code of a row against the mock of its contract: each request, and its headers."""
    names: dict[str, Any] = {}
    text = calling_module(row, module.__name__)
    exec(compile(text, f"<{row.name}>", "exec"), names)  # noqa: S102  # the table's own code
    with MockServer(spec) as mock:
        settings = (PROJECT, DEFAULT_TOKEN, mock.url)
        with module.RestClient(*settings) as client:
            names["call"](client)
        journal = mock.journal
        mock.reset()

        async def acall() -> None:
            async with module.AsyncRestClient(*settings) as client:
                await names["acall"](client)

        asyncio.run(acall())
        assert [*map(_line, mock.journal)] == [*map(_line, journal)]
    return [(_line(exchange), list(exchange.headers)) for exchange in journal]


def _line(exchange: Any) -> str:
    query = f"?{exchange.query}" if exchange.query else ""
    path = exchange.path.removeprefix("/api/laml/2010-04-01")
    body = exchange.body.decode()
    for boundary in re.findall("boundary=(.*)", dict(exchange.headers).get("content-type", "")):
        body = body.replace(boundary, "").replace("\r\n", "|")
    return f"{exchange.method} {path}{query} {body}".strip()
