"""Try a document: generate its package, check the types, and call every operation of its mock.

    python -m scripts.try_document ../other/openapi.yaml

Each operation is called with its required arguments and with all of them, sync and async. Nothing
is left behind. The exit status is 1 if anything failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import importlib
import inspect
import itertools
import logging
import subprocess
import sys
import tempfile
import typing
from pathlib import Path
from types import UnionType
from typing import Any

from openapi_python_client.strings import PythonIdentifier
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.document import Document, join
from signalwire_compat_mock.sample_replies import sample

from codegen import generate
from codegen.credentials import sent_keys
from codegen.document import at, merged, parameters_of
from codegen.facts import method_of
from codegen.package_names import Names, read_names
from codegen.validate import load
from contract_diff.contract_calls import Operation, operations
from contract_diff.recording import credentials, load_package

# The request was understood, and what it is about is not there, or is no longer free.
_STATE = (404, 409, 422)


def arguments(document: Document, operation: Operation, *, every: bool) -> dict[str, Any]:
    """Make the arguments of a call, by their names in Python; all of them, or the required ones."""
    root, found = document.root, {}
    keys = sent_keys(root, operation.raw)
    for _, end in parameters_of(root, operation.where):
        node = at(root, end)
        is_key = (node["in"], node["name"].lower()) in keys  # Left out, the client sends its own.
        if (every and not is_key) or node.get("required"):
            found[node["name"]] = _value(document, join("", *end))
    for kind, media in list(operation.body.get("content", {}).items())[:1]:
        place, body = document.follow(join("", *operation.where, "requestBody"))
        if every or body.get("required"):
            value = _value(document, join(place, "content", kind))
            needed = merged(root, media["schema"]).get("required", [])
            if isinstance(value, dict) and not every:
                few = {name: value[name] for name in value if name in needed}
                value = few if document.fits(few, join(place, "content", kind, "schema")) else value
            found |= value if operation.fields else {"body": value}
    return {PythonIdentifier(n, "field_", skip_snake_case=True): v for n, v in found.items()}


def _value(document: Document, place: str) -> Any:
    """Take the example of a parameter or content type, or make a value from its schema."""
    node, schema = document.value(place), join(place, "schema")
    examples = [node["example"]] if "example" in node else []
    for name in node.get("examples", {}):
        examples.append(document.follow(join(place, "examples", name))[1].get("value"))
    fitting = (value for value in examples if document.fits(value, schema))
    return next(fitting, None) or sample(document, schema)


def as_hinted(value: Any, hint: Any, package: Any) -> Any:
    """Make what an annotation asks for of JSON: a model, a date, a file, or lists of them."""
    file = importlib.import_module(f"{package.__name__}.types").File
    is_union = isinstance(hint, UnionType) or typing.get_origin(hint) is typing.Union
    for option in typing.get_args(hint) if is_union else (hint,):
        if typing.get_origin(option) is list and isinstance(value, list):
            (inner,) = typing.get_args(option)
            return [as_hinted(item, inner, package) for item in value]
        if hasattr(option, "from_dict") and isinstance(value, dict):
            made = option.from_dict(value)
            for name, inner in typing.get_type_hints(option, localns=vars(package)).items():
                if file in typing.get_args(inner) or inner is file:
                    setattr(made, name, as_hinted(getattr(made, name), inner, package))
            return made
        if option in (datetime.date, datetime.datetime) and isinstance(value, str):
            return option.fromisoformat(value)
        if option is file and isinstance(value, str):
            return file(payload=value.encode())
    return value


class _Warnings(logging.Handler):
    """Keeps what the client says of replies that break the contract."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def call_all(package: Any, spec: Path, names: Names) -> dict[str, list[str]]:
    """Call every operation: what went wrong, by its name."""
    document, warned = Document(load(spec, names)), _Warnings()
    logging.getLogger().addHandler(warned)
    found: dict[str, list[str]] = {}
    client_class = getattr(package, names.client)
    settings = credentials(client_class, DEFAULT_TOKEN)
    async with contextlib.AsyncExitStack() as stack:
        mock = stack.enter_context(MockServer(spec, allow_import=True))
        client = stack.enter_context(client_class(**settings, host=mock.url))
        other = getattr(package, f"Async{names.client}")(**settings, host=mock.url)
        clients = client, await stack.enter_async_context(other)
        for name, operation in operations(document.root).items():
            found[name] = []
            for caller, every in itertools.product(clients, (False, True)):
                try:
                    given = arguments(document, operation, every=every)
                    await _call(package, getattr(caller, names.namespace), operation, given)
                except Exception as error:
                    if getattr(error, "status", None) in _STATE:
                        continue
                    found[name].append(f"{type(error).__name__}: {' '.join(str(error).split())}")
                found[name] += warned.lines
                warned.lines.clear()
    logging.getLogger().removeHandler(warned)
    return found


async def _call(package: Any, namespace: Any, operation: Operation, given: dict[str, Any]) -> None:
    tag = PythonIdentifier(operation.raw["tags"][0], "tag")
    method = method_of(operation.raw)
    function = getattr(getattr(namespace, tag), method)
    hints = typing.get_type_hints(function, localns=vars(package))
    done = function(**{k: as_hinted(v, hints.get(k), package) for k, v in given.items()})
    if inspect.isawaitable(done):
        await done


def main(words: list[str]) -> int:
    """Run the command; see the docstring of this module."""
    spec = Path(words[0] if words else "openapi.yaml")
    config = Path(words[1]) if words[1:] else generate.CONFIG
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "package"
        if generate.main(["--spec", str(spec), "--output", str(output), "--config", str(config)]):
            return 1
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
        command += [f"--cache-dir={folder}/cache", "package"]
        typed = subprocess.run(  # noqa: S603  # this environment's own mypy
            command, cwd=folder, capture_output=True, text=True, check=False
        )
        found = asyncio.run(call_all(load_package(output), spec, read_names(config)))
    for name, wrong in found.items():
        line = [name, *dict.fromkeys(wrong)] if wrong else [name, "works"]
        sys.stdout.write(": ".join(line) + "\n")
    sys.stdout.write(typed.stdout)
    working = sum(not wrong for wrong in found.values())
    types = "wrong" if typed.returncode else "right"
    sys.stdout.write(f"{working} of {len(found)} operations work, and the types are {types}.\n")
    return 0 if working == len(found) and not typed.returncode else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
