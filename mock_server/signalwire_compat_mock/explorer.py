"""The web pages: an explorer to try out the contract, and the journal."""

import copy
import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from .contract import Contract
from .document import Document, join, nodes
from .loading import path_of
from .parsing import FORM

_PAGES = Path(__file__).with_name("pages")


def wants_page(request: Request) -> bool:
    """Return True for a browser: it asks for HTML first, a program does not."""
    return request.headers.get("accept", "").startswith("text/html")


def page(name: str) -> Response:
    """Return one of the HTML pages of this package."""
    return FileResponse(_PAGES / f"{name}.html", headers={"cache-control": "no-store"})


def routes(contract: Contract, project: str, token: str | None) -> list[BaseRoute]:
    """Return the routes of the explorer. It shows `token`, unless that is None."""

    async def document(_: Request) -> Response:
        return JSONResponse(described(contract))

    # A response is an application that sends itself.
    credentials = JSONResponse({"project": project, "token": token})
    return [
        Route("/docs", page("explorer"), methods=["GET"]),
        Route("/docs/credentials", credentials, methods=["GET"]),
        Mount("/docs", StaticFiles(directory=_PAGES)),
        Route("/openapi.json", document, methods=["GET"]),
        # A browser asks for it beside any URL; the journal need not tell.
        Route("/favicon.ico", Response(status_code=204), methods=["GET"]),
    ]


def described(contract: Contract) -> dict[str, Any]:
    """Return the spec for people: with this mock, error codes, and forms filled with examples.

    Queries are filled with nothing: all examples at once would find nothing. Nor are defaults
    filled in: an update would then set them.
    """
    document = Document(copy.deepcopy(contract.document.root))
    root = document.root
    root["servers"] = [{"url": contract.base_path or "/", "description": "This mock"}]
    for path in root.get("paths", {}).values():
        for part in (path, *(node for node in path.values() if isinstance(node, dict))):
            if "servers" in part:
                part["servers"] = [{"url": path_of(part["servers"][0]) or "/"}]
    error = root.get("components", {}).get("schemas", {}).get("Error")
    if error is not None:
        error["description"] = f"{error.get('description', '')}\n\n{_table(contract, None)}"
    for operation in contract.operations.values():
        here = document.value(operation.pointer)
        for status, response in here.get("responses", {}).items():
            if table := _table(contract, status):
                _, target = contract.document.follow(join(operation.pointer, "responses", status))
                response["description"] = f"{target.get('description', '')}\n\n{table}"
        for index, _ in enumerate(here.get("parameters", [])):
            _, parameter = document.follow(join(operation.pointer, "parameters", index))
            if parameter["in"] == "query":
                _tell(parameter, parameter.get("schema", {}), "default")
                _tell(parameter, parameter, "example")
        media = operation.body.media.get(FORM) if operation.body else None
        if media:
            content = document.value(media.pointer)
            examples = content.get("examples", {})
            first: dict[str, Any] = next((e.get("value", {}) for e in examples.values()), {})
            for name, pointer in document.properties(f"{media.pointer}/schema").items():
                member = document.value(pointer)
                _tell(member, member, "default")
                if member.get("type") == "array":
                    # This is the default of OpenAPI, but Swagger UI would send one value.
                    encoding = content.setdefault("encoding", {})
                    encoding.setdefault(name, {"style": "form", "explode": True})
                else:
                    # A field that is left empty is not sent.
                    member["example"] = first.get(name, "")
    for schema in nodes(root):
        if (found := schema.get("x-error-codes")) and schema is not error:
            said = "; ".join(f"{kind}: error {code}" for kind, code in found.items())
            schema["description"] = f"{schema.get('description', '')} ({said})"
    return root


def _tell(described: dict[str, Any], holder: dict[str, Any], key: str) -> None:
    """Describe a value with which Swagger UI would fill a field, and remove it."""
    if key in holder:
        said = f"{key.capitalize()}: {json.dumps(holder.pop(key))}."
        described["description"] = f"{described.get('description', '')} {said}"


def _table(contract: Contract, status: str | None) -> str:
    """Return a Markdown table of the error codes of a status, or of all codes."""
    rows = [
        f"| {code} | {entry.status} | {entry.when} |"
        for code, entry in sorted(contract.codes.items())
        if status in (None, str(entry.status))
    ]
    return "\n".join(["| code | status | when |", "| --- | --- | --- |", *rows]) if rows else ""
