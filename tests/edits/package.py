"""Generate the package of an edited contract, import it under a name of its own, and call it."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import importlib
import importlib.util
import re
import shutil
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from jinja2 import FileSystemBytecodeCache
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from codegen import generate
from tests.conftest import PROJECT
from tests.edits.rows import Row

USE = """
from __future__ import annotations
import datetime
import io
from typing import assert_type
from {package} import AsyncRestClient, RestClient, Unset, models as m
from {package}.types import File

def sync(client: RestClient) -> None:
    compat = client.compat
{sync}

async def twin(client: AsyncRestClient) -> None:
    compat = client.compat
{twin}
"""


def edited(contract: dict[str, Any], row: Row) -> dict[str, Any]:
    """Give a copy of the contract with the edit."""
    document = copy.deepcopy(contract)
    row.edit(document)
    # Parts that an edit uses twice are written out, not as aliases.
    return document


class _Plain(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def written(document: dict[str, Any], spec: Path) -> Path:
    """Write a contract to a file."""
    spec.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    spec.write_text(text, "utf-8")
    return spec


def generated(document: dict[str, Any], folder: Path, shared: Path) -> Path:
    """Generate the package of a contract, as `make generate` does it but for the formatter.

    Args:
        document: The contract, which is written beside the package.
        folder: Where the package comes to lie.
        shared: A folder for what every process of a run can use: compiled templates and packages.
    """
    spec = written(document, folder / "openapi.yaml")
    package = folder / "signalwire_compat"
    made = shared / hashlib.sha256(spec.read_bytes()).hexdigest()
    if not made.exists():
        generate.generate(spec, package, hooks=False, compiled=FileSystemBytecodeCache(str(shared)))
        # Another process may have been quicker; its package is the same.
        with contextlib.suppress(OSError):
            shutil.copytree(package, unfinished := folder / "copy")
            unfinished.rename(made)
    else:
        shutil.copytree(made, package)
    return package


def user(row: Row, package: str) -> str:
    """Write a module that calls the package, sync and async."""
    twin = re.sub(r"compat\.(?=\w+\.\w+\()", "await compat.", row.code)
    lines = {"sync": row.code, "twin": twin}
    return USE.format(
        package=package, **{name: textwrap.indent(code, "    ") for name, code in lines.items()}
    )


def imported(package: Path, name: str) -> ModuleType:
    """Import a package under another name than that of its folder."""
    found = importlib.util.spec_from_file_location(
        name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def called(row: Row, package: Path, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Call a package against the mock of its contract; give each request and its headers."""
    module = imported(package, name)
    use: dict[str, Any] = {}
    exec(compile(user(row, name), f"<{row.name}>", "exec"), use)  # noqa: S102  # the table's code
    with MockServer(package.parent / "openapi.yaml") as mock:
        settings = (PROJECT, DEFAULT_TOKEN, mock.url)
        with module.RestClient(*settings) as client:
            use["sync"](client)
        first = len(mock.journal)
        mock._state.reset()

        async def twin() -> None:
            async with module.AsyncRestClient(*settings) as client:
                await use["twin"](client)

        asyncio.run(twin())
        journal = mock.journal
    sent = [(_line(entry), list(entry.headers)) for entry in journal]
    assert [line for line, _ in sent[:first]] == [line for line, _ in sent[first:]]
    return sent[:first]


def _line(entry: Any) -> str:
    query = f"?{entry.query}" if entry.query else ""
    path = entry.path.removeprefix("/api/laml/2010-04-01")
    body = entry.body.decode()
    for boundary in re.findall("boundary=(.*)", dict(entry.headers).get("content-type", "")):
        body = body.replace(boundary, "").replace("\r\n", "|")
    return f"{entry.method} {path}{query} {body}".strip()
