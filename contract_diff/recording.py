"""What a generated package puts on the wire, and what it makes of replies: recorded, to compare.

    python contract_diff/recording.py FOLDER < cases > recording

plays cases through the package in FOLDER, sync and async, against a transport that records.
`cases` makes them from a contract: each of its examples, as a request and as a reply.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import types
import typing
from pathlib import Path
from typing import Any

_PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"


def cases(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the cases of a contract: what is asked for, and the reply that is given."""
    from openapi_python_client.strings import PythonIdentifier

    from codegen.content_types import is_json, read

    found = []
    for item in document.get("paths", {}).values():
        for raw in item.values():
            if not isinstance(raw, dict) or "operationId" not in raw:
                continue
            declared = [*item.get("parameters", ()), *raw.get("parameters", ())]
            given = {}
            for parameter in (_resolved(document, node) for node in declared):
                value = _example(document, parameter)
                if value is not None:
                    given[PythonIdentifier(parameter["name"], "field_", True)] = value
            content = _resolved(document, raw.get("requestBody", {})).get("content", {})
            bodies = [
                (name if len(content) == 1 else f"{name} as {content_type}", place, value, media)
                for place, (content_type, media) in enumerate(content.items())
                for name, value in _examples(document, media).items()
            ] or [("no body", 0, None, {})]
            replies = [
                (status, name, value, content_type)
                for status, response in raw["responses"].items()
                if (content := _resolved(document, response).get("content", {}))
                and (content_type := read(content))
                for name, value in _examples(document, content[content_type]).items()
            ] or [(next(iter(raw["responses"])), "nothing", None, "")]
            calls = [(body, replies[0]) for body in bodies]
            calls += [(bodies[0], reply) for reply in replies[1:]]
            for (name, place, body, media), (status, reply, value, content_type) in calls:
                found.append(
                    {
                        "name": f"{raw['tags'][0]}.{raw['operationId']}, {name}, {status} {reply}",
                        "tag": PythonIdentifier(raw["tags"][0], "tag"),
                        "operation": PythonIdentifier(raw["operationId"], "field_"),
                        "parameters": given,
                        "body": body,
                        "place": place,
                        "files": _files(document, media),
                        "members": {
                            member: PythonIdentifier(member, "field_", True)
                            for member in (body if isinstance(body, dict) else ())
                        },
                        "status": int(status.replace("X", "0").replace("default", "400")),
                        "reply": json.dumps(value) if is_json(content_type) else value,
                        "type": content_type,
                    }
                )
    return found


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        steps = node["$ref"].removeprefix("#/").split("/")
        node = document
        for step in steps:
            node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def _files(document: dict[str, Any], media: dict[str, Any]) -> list[str]:
    """Name the members of a body that are files, or lists of them; the body itself is ""."""
    schema = _resolved(document, media.get("schema", {}))
    if schema.get("format") == "binary":
        return [""]
    members = {
        name: _resolved(document, member) for name, member in schema.get("properties", {}).items()
    }
    return [
        name
        for name, member in members.items()
        if "binary"
        in (member.get("format"), _resolved(document, member.get("items", {})).get("format"))
    ]


def _examples(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: _resolved(document, example).get("value")
        for name, example in node.get("examples", {}).items()
    }
    if "example" in node:
        found["example"] = node["example"]
    if not found:
        value = _example(document, node)
        found = {} if value is None else {"example": value}
    return found


def _example(document: dict[str, Any], node: dict[str, Any]) -> Any:
    """Give the example of a parameter or media type: its own, or that of its schema."""
    if "example" in node:
        return node["example"]
    for example in node.get("examples", {}).values():
        return _resolved(document, example).get("value")
    schema = _resolved(document, node.get("schema", {}))
    return schema.get("example", next(iter(schema.get("examples", ())), None))


def record(name: str, played: list[dict[str, Any]]) -> dict[str, Any]:
    """Play cases through a package; give what was sent, and what came of the reply."""
    package = importlib.import_module(name)
    ways = ("sync", "async")
    return {case["name"]: {way: _play(package, case, way) for way in ways} for case in played}


def _play(package: Any, case: dict[str, Any], way: str) -> dict[str, Any]:
    import httpx

    sent: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.read().decode("latin-1")
        kind, _, boundary = headers.get("content-type", "").partition("; boundary=")
        if boundary:  # It is another in each request.
            headers["content-type"], body = kind, body.replace(boundary, "")
        line = f"{request.method} {request.url.raw_path.decode()}"
        sent.append({"request line": line, "headers": headers, "body": body})
        if case["reply"] is None:
            return httpx.Response(case["status"])
        told = {"content-type": case["type"]}
        return httpx.Response(case["status"], headers=told, content=case["reply"])

    transport = httpx.MockTransport(answer)
    settings = {"project": _PROJECT, "token": "token-of-the-recorder", "host": "localhost"}

    async def ask() -> Any:
        async with httpx.AsyncClient(transport=transport) as http_client:
            client = package.AsyncRestClient(**settings, http_client=http_client)
            return await _call(client, case)

    try:
        if way == "async":
            result = asyncio.run(ask())
        else:
            with httpx.Client(transport=transport) as http_client:
                result = _call(package.RestClient(**settings, http_client=http_client), case)
    except package.SignalWireError as error:
        told = {name: value for name, value in vars(error).items() if name in ("status", "code")}
        return {"sent": sent, "result": {"raised": type(error).__name__, **told}}
    except (AttributeError, TypeError) as error:  # The caller's code no longer fits.
        return {"sent": sent, "result": {"raised": type(error).__name__, "says": str(error)}}
    written = result.to_dict() if hasattr(result, "to_dict") else repr(result)
    return {"sent": sent, "result": {"type": type(result).__name__, "value": written}}


def _call(client: Any, case: dict[str, Any]) -> Any:
    method = getattr(getattr(client.compat, case["tag"]), case["operation"])
    if case["body"] is None:
        return method(**case["parameters"])
    package = importlib.import_module(type(client).__module__.partition(".")[0])
    given = case["body"]
    if isinstance(given, dict):
        files = {name: _as_file(package, given[name]) for name in case["files"] if name in given}
        given = {**given, **files}
    elif case["files"]:
        given = _as_file(package, given)
    if "body" not in inspect.signature(method).parameters:
        members = {case["members"][name]: value for name, value in given.items()}
        return method(**case["parameters"], **members)
    place = f"{package.__name__}.api.{case['tag']}.{case['operation']}"
    module = importlib.import_module(place)
    hint = typing.get_type_hints(module.sync, localns=vars(package))["body"]
    # Of several content types each has a type of its own, in the same order.
    kind = typing.get_args(hint)[case["place"]] if isinstance(hint, types.UnionType) else hint
    body = kind.from_dict(given) if hasattr(kind, "from_dict") else given
    return method(**case["parameters"], body=body)


def _as_file(package: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_as_file(package, item) for item in value]
    return importlib.import_module(f"{package.__name__}.types").File(payload=value.encode())


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say where two recordings differ, in one line for each place.

    The header user-agent names versions, and is left out.
    """
    found: list[str] = []
    for name, ways in old.items():
        for way, before in ways.items():
            after = new[name][way]
            lines = list(_differences(before, after, ""))
            if "says" in after["result"] and lines:  # One reason is behind all of them.
                told = after["result"]
                lines = [f": result: the call raises {told['raised']}: {told['says']}"]
            if way == "async" and before == ways["sync"] and after == new[name]["sync"]:
                continue  # The sync twin has said it.
            found += [f"{name} ({way}){line}" for line in lines]
    return found


def _differences(old: Any, new: Any, where: str) -> typing.Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted((old.keys() | new.keys()) - {"user-agent"}):
            yield from _differences(old.get(key), new.get(key), f"{where}: {key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            yield from _differences(before, after, where)
    elif old != new:
        yield f"{where}: {_short(old)} became {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:80]}...{text[-37:]}"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(sys.argv[1]).resolve()))
    json.dump(record("signalwire_compat", json.load(sys.stdin)), sys.stdout)
