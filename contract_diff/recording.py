"""Record what a package sends and what it makes of replies, and compare two recordings.

Cases are played, sync and async, through a transport that records.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import itertools
import json
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any

import httpx
from openapi_python_client.strings import PythonIdentifier

from codegen.facts import method_name

_PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
_numbers = itertools.count()


def load_package(folder: Path) -> ModuleType:
    """Import the package in a folder under a name of its own, beside other versions of it."""
    name = f"{folder.name}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if not spec or not spec.loader:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


def record(package: ModuleType, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Play cases through a package: what was sent, and the result of each call."""
    ways = ("sync", "async")
    return {case["name"]: {way: _play(package, case, way) for way in ways} for case in cases}


def credentials(client: Any, token: str) -> dict[str, str]:
    """Give all credentials that a class of clients takes: a Project ID, the token for the rest."""
    taken = inspect.signature(client).parameters.values()
    names = [each.name for each in taken if each.annotation == "str | None" and each.name != "host"]
    return {
        name: _PROJECT if name == getattr(client, "_user", "project") else token for name in names
    }


def _play(package: Any, case: dict[str, Any], way: str) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.read().decode("latin-1")
        kind, _, boundary = headers.get("content-type", "").partition("; boundary=")
        if boundary:  # It is random.
            headers["content-type"], body = kind, body.replace(boundary, "")
        line = f"{request.method} {request.url.raw_path.decode()}"
        sent.append({"request line": line, "headers": headers, "body": body})
        described = {"content-type": case["type"]} if case["type"] else {}
        return httpx.Response(case["status"], headers=described, content=case["reply"])

    transport = httpx.MockTransport(answer)
    names = {"sync": (httpx.Client, "RestClient"), "async": (httpx.AsyncClient, "AsyncRestClient")}
    http_client, client = names[way]
    settings = credentials(getattr(package, client), "token-of-the-recorder")
    try:
        rest_client = getattr(package, client)(
            **settings, host="localhost", http_client=http_client(transport=transport)
        )
        result = _call(package, rest_client, case)
        if way == "async":
            result = asyncio.run(result)
    except package.SignalWireError as error:
        details = {name: value for name, value in vars(error).items() if name in ("status", "code")}
        return {"sent": sent, "result": {"raised": type(error).__name__, **details}}
    except (AttributeError, TypeError) as error:  # The caller's code no longer fits.
        return {"sent": sent, "result": {"raised": type(error).__name__, "says": str(error)}}
    value = result.to_dict() if hasattr(result, "to_dict") else repr(result)
    # The async client has page classes of its own.
    kind = type(result).__name__.removeprefix("Async")
    return {"sent": sent, "result": {"type": kind, "value": value}}


def _call(package: Any, client: Any, case: dict[str, Any]) -> Any:
    method = getattr(getattr(client.compat, case["tag"]), method_name(case["operation"]))
    arguments, value = case["parameters"], case["body"]
    if isinstance(value, dict):
        files = {name: _as_file(package, value[name]) for name in case["files"] if name in value}
        value = {**value, **files}
    elif case["files"]:
        value = _as_file(package, value)
    names = inspect.signature(method).parameters
    if value is not None and "body" not in names:
        arguments = {**arguments, **value}
    arguments = {
        PythonIdentifier(key, "field_", skip_snake_case=True): member
        for key, member in arguments.items()
    }
    if value is None or "body" not in names:
        return method(**arguments)
    module = importlib.import_module(f"{package.__name__}.api.{case['tag']}.{case['operation']}")
    hint = typing.get_type_hints(module.sync, localns=vars(package))["body"]
    # Each content type has a type of its own, in the same order.
    kind = typing.get_args(hint)[case["place"]] if isinstance(hint, UnionType) else hint
    return method(**arguments, body=kind.from_dict(value) if hasattr(kind, "from_dict") else value)


def _as_file(package: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_as_file(package, item) for item in value]
    return importlib.import_module(f"{package.__name__}.types").File(payload=value.encode())


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """List where two recordings differ, one line for each place.

    The header user-agent holds versions and is left out.
    """
    found: list[str] = []
    for name, ways in old.items():
        for way, before in ways.items():
            after = new[name][way]
            lines = list(_differences(before, after, ""))
            result = after["result"]
            if lines and "says" in result:  # The exception explains every difference.
                lines = [f": result: the call raises {result['raised']}: {result['says']}"]
            if way == "async" and before == ways["sync"] and after == new[name]["sync"]:
                continue  # The sync client has the same differences.
            found += [f"{name} ({way}){line}" for line in lines]
    return found


def _differences(old: Any, new: Any, where: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted((old.keys() | new.keys()) - {"user-agent"}):
            yield from _differences(old.get(key), new.get(key), f"{where}: {key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            yield from _differences(before, after, where)
    elif old != new:
        yield f"{where}: {_shorten(old)} became {_shorten(new)}"


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:80]}...{text[-37:]}"
