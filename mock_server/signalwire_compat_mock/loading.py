"""Compiles openapi.yaml to a `Contract`, once, at the start."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .contract import (
    CREDENTIALS,
    FORM,
    INVALID,
    JSON,
    MULTIPART,
    NOT_FOUND,
    Body,
    Contract,
    ErrorCode,
    Field,
    Media,
    Operation,
    Parameter,
    Response,
    Route,
    Shape,
    is_json,
    media_type,
)
from .document import Document, SpecError, default_spec, join

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_HEADERS_OF_HTTP = ("accept", "content-type", "authorization")
_BRACES = re.compile(r"\{(.+?)\}")
_ERROR = "/components/schemas/Error"


def load_contract(spec: Path | None = None) -> Contract:
    """Compile a spec, by default the openapi.yaml of this package or checkout.

    Errors: `SpecError` if the mock can't read or serve it.
    """
    path = spec or default_spec()
    document = Document.load(path)
    try:
        return _contract(path, document)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
        message = f"{path}: not a valid OpenAPI 3.1 document ({problem}). Validate and fix it."
        raise SpecError(message) from error


def _contract(path: Path, document: Document) -> Contract:
    codes = document.value(join(_ERROR, "x-error-codes"))
    table = {int(code): ErrorCode(entry["status"], entry["when"]) for code, entry in codes.items()}
    for code in (INVALID, CREDENTIALS, NOT_FOUND):
        if code not in table:
            raise SpecError(f"{_ERROR}/x-error-codes: code {code} is missing. Add it.")
    paths = [path for path in document.value("/paths") if path.startswith("/")]
    routes = [_route(document, path) for path in paths]
    operations: dict[str, Operation] = {}
    for operation in (op for route in routes for op in route.operations.values()):
        if operation.id in operations:
            raise SpecError(f"{operation.pointer}: operationId {operation.id} is taken. Rename it.")
        _check_codes(operation, table)
        operations[operation.id] = operation
    server = document.value("/servers/0")
    url = _BRACES.sub(lambda m: str(server["variables"][m[1]]["default"]), server["url"])
    return Contract(
        source=path,
        document=document,
        base_path=urlsplit(url).path.rstrip("/"),
        routes=tuple(sorted(routes, key=lambda r: sum(bool(s.groups) for s in r.segments))),
        codes=table,
        error=document.validator(_ERROR),
        more_info=str(document.root.get("externalDocs", {}).get("url", "")),
        version=str(document.value("/info/version")),
        operations=operations,
    )


def _check_codes(operation: Operation, table: Mapping[int, ErrorCode]) -> None:
    media = operation.body.media.values() if operation.body else ()
    fields = [p.field for p in operation.parameters] + [f for m in media for f in m.fields.values()]
    for field in fields:
        for code in (field.missing, field.invalid):
            if code not in table:
                message = (
                    f"{operation.pointer}: {field.name} has code {code}, which is not in {_ERROR}."
                )
                raise SpecError(f"{message} Add it there.")


def _route(document: Document, path: str) -> Route:
    pointer, item = document.follow(join("/paths", path))
    methods = [method for method in _METHODS if method in item]
    operations = {m.upper(): _operation(document, pointer, m, path) for m in methods}
    segments = tuple(_pattern(s) for s in path.removeprefix("/").split("/"))
    return Route(segments, tuple(_BRACES.findall(path)), operations)


def _pattern(segment: str) -> re.Pattern[str]:
    pieces = _BRACES.split(segment)
    regex = "".join("(.+)" if i % 2 else re.escape(p) for i, p in enumerate(pieces))
    return re.compile(regex, re.DOTALL)


def _operation(document: Document, item: str, method: str, path: str) -> Operation:
    pointer = join(item, method)
    value = document.value(pointer)
    parameters: dict[tuple[str, str], Parameter] = {}
    for parent in (item, pointer):
        for index, _ in enumerate(document.value(parent).get("parameters", [])):
            parameter = _parameter(document, join(parent, "parameters", index))
            if parameter.field.name.lower() not in _HEADERS_OF_HTTP:
                parameters[parameter.location, parameter.field.name] = parameter
    responses = {
        status.upper() if status != "default" else status: _response(
            document, join(pointer, "responses", status)
        )
        for status in value.get("responses", {})
        if not status.startswith("x-")
    }
    return Operation(
        id=value.get("operationId", f"{method.upper()} {path}"),
        pointer=pointer,
        secured=_is_secured(document, pointer),
        parameters=tuple(parameters.values()),
        body=_body(document, join(pointer, "requestBody")) if "requestBody" in value else None,
        responses=responses,
    )


def _is_secured(document: Document, pointer: str) -> bool:
    ways = document.value(pointer).get("security", document.root.get("security", []))
    if not ways or {} in ways:
        return False
    for way in ways:
        schemes = [document.follow(f"/components/securitySchemes/{name}")[1] for name in way]
        if all((s.get("type"), str(s.get("scheme")).lower()) == ("http", "basic") for s in schemes):
            return True
    message = f"{pointer}: the mock knows HTTP Basic only. Offer that in `security`."
    raise SpecError(message)


def _parameter(document: Document, reference: str) -> Parameter:
    pointer, value = document.follow(reference)
    location, schema = value["in"], join(pointer, "schema")
    style = value.get("style", _STYLES[location])
    explode = bool(value.get("explode", style == "form"))
    served = style == _STYLES[location] and "schema" in value
    field = _field(document, value["name"], schema, value.get("x-error-codes")) if served else None
    members: dict[str, Field] = {}
    if field and "object" in field.shape.types:
        if location == "query" and explode:
            members = _fields(document, schema)
        served = bool(members)
    if field is None or not served:
        todo = "Give it a schema, no style, and no object but in a query."
        raise SpecError(f"{pointer}: not served. {todo}")
    return Parameter(
        field=field,
        location=location,
        required=bool(value.get("required")),
        explode=explode,
        validator=document.validator(schema),
        members=members,
    )


def _body(document: Document, reference: str) -> Body:
    pointer, value = document.follow(reference)
    media: dict[str, Media] = {}
    for content_type in value["content"]:
        kind, place = media_type(content_type), join(pointer, "content", content_type)
        is_text = not is_json(kind) and kind not in (FORM, MULTIPART)
        if "*" in kind or (is_text and document.types(join(place, "schema")) != {"string"}):
            todo = f"Use {JSON}, {FORM}, {MULTIPART}, or a schema of the type string."
            raise SpecError(f"{pointer}: {content_type} is not served. {todo}")
        media[kind] = _media(document, place)
    return Body(bool(value.get("required")), media)


def _response(document: Document, reference: str) -> Response:
    pointer, value = document.follow(reference)
    headers = {
        name: header
        for name in value.get("headers", {})
        for header, entry in [document.follow(join(pointer, "headers", name))]
        if entry.get("required")
    }
    content = value.get("content", {})
    kinds = sorted(content, key=lambda kind: not is_json(media_type(kind)))
    kind = next(iter(kinds), None)
    media = None if kind is None else _media(document, join(pointer, "content", kind))
    return Response(pointer, kind, media, headers)


def _media(document: Document, pointer: str) -> Media:
    schema = join(pointer, "schema")
    return Media(pointer, _fields(document, schema), document.validator(schema))


def _fields(document: Document, schema: str) -> dict[str, Field]:
    members = document.properties(schema)
    return {name: _field(document, name, member) for name, member in members.items()}


def _field(document: Document, name: str, pointer: str, codes: Any = None) -> Field:
    default = None
    for _, schema in document.parts(pointer):
        codes = codes or schema.get("x-error-codes")
        default = schema.get("default") if default is None else default
    codes = codes or {}
    return Field(
        name=name,
        shape=_shape(document, pointer),
        default=default,
        missing=codes.get("missing", INVALID),
        invalid=codes.get("invalid", INVALID),
    )


def _shape(document: Document, pointer: str) -> Shape:
    types = document.types(pointer)
    if "array" in types:
        items = (join(p, "items") for p, s in document.parts(pointer) if "items" in s)
        return Shape(types, next((_shape(document, item) for item in items), None))
    return Shape(types)
