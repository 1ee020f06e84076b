"""Compiles openapi.yaml to a `Contract`, once, at the start."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .contract import (
    CODES,
    CREDENTIALS,
    INVALID,
    NOT_FOUND,
    Body,
    Contract,
    ErrorCode,
    Field,
    Operation,
    Part,
    Response,
    Route,
    Scheme,
)
from .document import Document, SpecError, join
from .parsing import FORM, JSON, MULTIPART, is_json, media_type

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
# What stands between the items of an array in a query.
_DELIMITERS = {"form": ",", "spaceDelimited": r"%20|\+", "pipeDelimited": r"\||%7[Cc]"}
_CREDENTIALS = ("basic", "bearer", "header", "query", "cookie")
# What stands before the first item in a path or header.
_PREFIXES = {"simple": "", "form": "", "label": ".", "matrix": ";{name}="}
_HEADERS_OF_HTTP = ("accept", "content-type", "authorization")
_BRACES = re.compile(r"\{(.+?)\}")
_ERROR = "/components/schemas/Error"
# For a document without error codes of its own.
_CODES = {
    INVALID: {"status": 400, "when": "The request is malformed."},
    CREDENTIALS: {"status": 401, "when": "The credentials are wrong."},
    NOT_FOUND: {"status": 404, "when": "There is nothing at this path."},
}


def load_contract(spec: Path | None = None) -> Contract:
    """Compile a spec, by default the openapi.yaml of this package or checkout.

    Errors: `SpecError` if the mock can't read or serve it.
    """
    inside = Path(__file__).with_name("openapi.yaml")
    default = inside if inside.is_file() else Path(__file__).parents[2] / "openapi.yaml"
    path = spec or default
    try:
        return _contract(path, Document.load(path))
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error
    except OSError as error:
        problem = f"{error.strerror or error}. Name another spec (--spec), or restore this one."
        raise SpecError(f"{path}: {problem}") from error
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
        message = f"{path}: not a valid OpenAPI 3.1 document ({problem}). Validate and fix it."
        raise SpecError(message) from error


def _contract(path: Path, document: Document) -> Contract:
    schemas = document.root.get("components", {}).get("schemas", {})
    codes = schemas.get("Error", {}).get("x-error-codes", _CODES)
    table = {int(code): ErrorCode(entry["status"], entry["when"]) for code, entry in codes.items()}
    for code in CODES:
        if code not in table:
            raise SpecError(f"{_ERROR}/x-error-codes: code {code} is missing. Add it.")
    for name in schemas:
        pointer = join("/components/schemas", name)
        document.validator(document.reference(pointer), pointer)
    base_path = path_of(_server(document))
    paths = [path for path in document.root.get("paths", {}) if path.startswith("/")]
    routes = [route for path in paths for route in _routes(document, base_path, path)]
    operations: dict[str, Operation] = {}
    for operation in (op for route in routes for op in route.operations.values()):
        if operation.id in operations:
            raise SpecError(f"{operation.pointer}: operationId {operation.id} is taken. Rename it.")
        media = operation.body.media.values() if operation.body else ()
        parts = (*operation.parameters.values(), *media)
        for field in (field for part in parts for field in part.fields.values()):
            for code in {field.missing, field.invalid} - table.keys():
                problem = f"{field.name} has code {code}, which is not in {_ERROR}"
                raise SpecError(f"{operation.pointer}: {problem}. Add it there.")
        operations[operation.id] = operation
    return Contract(
        source=path,
        document=document,
        base_path=base_path,
        routes=tuple(sorted(routes, key=lambda route: len(route.names))),
        codes=table,
        error=document.validator(document.reference(_ERROR) if "Error" in schemas else {}, _ERROR),
        more_info=str(document.root.get("externalDocs", {}).get("url", "")),
        version=str(document.value("/info/version")),
        operations=operations,
    )


def _server(document: Document) -> dict[str, Any]:
    """Return the first server, the one of operations that have none of their own."""
    return dict(document.root.get("servers", [{"url": "/"}])[0])


def path_of(server: dict[str, Any]) -> str:
    """Return the path of the URL of a server, with the defaults of its variables."""
    url = _BRACES.sub(lambda m: str(server["variables"][m[1]]["default"]), server["url"])
    return f"/{urlsplit(url).path.strip('/')}".rstrip("/")


def _also_accepted(document: Document) -> dict[str, Any]:
    """Return what official SDKs send although it is not documented, if the spec names it."""
    also: dict[str, Any] = _server(document).get("x-also-accepted", {})
    return also


def _routes(document: Document, base_path: str, path: str) -> Iterator[Route]:
    """Compile a path; the operations that have a server with another path, each by itself."""
    pointer, item = document.follow(join("/paths", path))
    by_base: dict[str, list[str]] = {}
    for method in (method for method in _METHODS if method in item):
        own = item[method].get("servers") or item.get("servers")
        by_base.setdefault(path_of(own[0]) if own else base_path, []).append(method)
    for base, methods in by_base.items():
        operations = {m.upper(): _operation(document, pointer, m, path) for m in methods}
        yield _route(document, base, path, operations)


def _route(
    document: Document, base_path: str, path: str, operations: dict[str, Operation]
) -> Route:
    also = _also_accepted(document)
    bases = "|".join(re.escape(quote(base)) for base in (base_path, *also.get("base-paths", [])))
    # Not greedy, so that a suffix is not taken for a part of the last value.
    own = "([^/]+?)".join(re.escape(quote(text, safe="/,;=")) for text in _BRACES.split(path)[::2])
    suffix = re.escape(also.get("suffix", ""))
    pattern = f"(?:{bases}){own}(?:{suffix})?"
    parts = [operation.parameters["path"] for operation in operations.values()]
    lists = {name for part in parts for name, each in part.fields.items() if each.is_split}
    return Route(re.compile(pattern), tuple(_BRACES.findall(path)), operations, frozenset(lists))


def _operation(document: Document, item: str, method: str, path: str) -> Operation:
    pointer = join(item, method)
    value = document.value(pointer)
    responses = {
        status.upper() if status != "default" else status: _response(
            document, join(pointer, "responses", status), method, status
        )
        for status in value.get("responses", {})
        if not status.startswith("x-")
    }
    if not any(status[0] in "2d" for status in responses):
        responses["2XX"] = Response(pointer, None, None, {})  # The spec says nothing of it.
    id_ = value.get("operationId", f"{method.upper()} {path}")
    return Operation(
        id=id_,
        name=".".join([*value.get("tags", [])[:1], id_]),
        pointer=pointer,
        ways=_ways(document, pointer),
        has_account=any(_is_account(document, item, pointer)),
        parameters=_parameters(document, item, pointer),
        body=_body(document, join(pointer, "requestBody")) if "requestBody" in value else None,
        responses=responses,
        repeats={m: rule["argument"] for m, rule in value.get("x-reply-repeats", {}).items()},
    )


def _ways(document: Document, pointer: str) -> tuple[tuple[Scheme, ...], ...]:
    """Compile the alternatives of the credentials that can be checked; none if none are needed."""
    ways = document.value(pointer).get("security", document.root.get("security", []))
    found = [[_scheme(document, name) for name in way] for way in ways]
    served = [tuple(each for each in way if each.kind != "mutualTLS") for way in found]
    if known := [way for way in served if all(scheme.kind in _CREDENTIALS for scheme in way)]:
        # One without credentials comes last, so that others are known to the journal.
        return tuple(sorted(known, key=lambda way: not way)) if any(known) else ()
    if not ways:
        return ()
    todo = "Offer HTTP Basic, a bearer token or an API key in `security`."
    raise SpecError(f"{pointer}: the mock does not know {', '.join(ways[0])}. {todo}")


def _scheme(document: Document, name: str) -> Scheme:
    value = document.follow(join("/components/securitySchemes", name))[1]
    kind = str(value["type"])
    if kind == "apiKey":
        return Scheme(value["in"], value["name"])
    if kind == "http":
        kind = str(value["scheme"]).lower()
    return Scheme("bearer" if kind in ("oauth2", "openIdConnect") else kind)


def _is_account(document: Document, item: str, operation: str) -> Iterator[bool]:
    for parent in (item, operation):
        for index, _ in enumerate(document.value(parent).get("parameters", [])):
            _, value = document.follow(join(parent, "parameters", index))
            yield value.get("x-client-default") == "account"


def _parameters(document: Document, item: str, operation: str) -> dict[str, Part]:
    """Compile the parameters of an operation; each one overrides its namesake of the path."""
    found: dict[str, dict[str, str]] = {location: {} for location in _STYLES}
    for parent in (item, operation):
        for index, _ in enumerate(document.value(parent).get("parameters", [])):
            pointer, value = document.follow(join(parent, "parameters", index))
            if value["name"].lower() not in _HEADERS_OF_HTTP:
                found[value["in"]][value["name"]] = pointer
    parts = {}
    for location, pointers in found.items():
        fields = {name: _parameter(document, pointer) for name, pointer in pointers.items()}
        schema = {
            "properties": {
                n: document.reference(join(p, "schema"), is_sent=True) for n, p in pointers.items()
            },
            "required": [n for n, p in pointers.items() if document.value(p).get("required")],
        }
        ignored = _also_accepted(document).get("query", []) if location == "query" else ()
        parts[location] = Part(operation, fields, document.validator(schema, operation), ignored)
    return parts


def _parameter(document: Document, pointer: str) -> Field:
    value, schema = document.value(pointer), join(pointer, "schema")
    location = value["in"]
    style = value.get("style", _STYLES[location])
    explode = bool(value.get("explode", style == "form"))
    if "schema" in value:
        codes, name = value.get("x-error-codes"), value["name"]
        field = _field(document, name, schema, codes, explode=explode)
        is_served = True
        if "object" in field.types:
            members = _fields(document, schema)
            if members and style == "deepObject":
                return replace(field, members={f"{name}[{n}]": m for n, m in members.items()})
            if members and style == "form" and explode:
                return replace(field, members=members)
            is_served = not (explode and location in ("query", "cookie"))
            field = replace(field, in_one=members, joined=explode, item=_other(document, schema))
        if location == "query" and style in _DELIMITERS and is_served:
            return replace(field, delimiter=_DELIMITERS[style])
        if location in ("path", "header") and style in _PREFIXES:
            prefix = _PREFIXES[style].format(name=name)
            prefix = prefix[:1] if field.joined else prefix
            between = re.escape(prefix) if explode and prefix else ","
            return replace(field, explode=False, prefix=prefix, delimiter=between)
        if style == _STYLES[location] and is_served:
            return field
    todo = "Give it a schema and a usual style, and an object that explodes named members."
    raise SpecError(f"{pointer}: not served. {todo}")


def _other(document: Document, schema: str) -> Field | None:
    """Compile `additionalProperties` of an object, if that is a schema."""
    for here, part in document.parts(schema):
        if isinstance(part.get("additionalProperties"), dict):
            return _field(document, "", join(here, "additionalProperties"))
    return None


def _body(document: Document, reference: str) -> Body:
    pointer, value = document.follow(reference)
    media: dict[str, Part] = {}
    for content_type in value["content"]:
        kind, place = media_type(content_type), join(pointer, "content", content_type)
        is_text = not is_json(kind) and kind not in (FORM, MULTIPART)
        schema = join(place, "schema")
        has_schema = "schema" in value["content"][content_type]
        if "*" in kind or (is_text and has_schema and document.types(schema) != {"string"}):
            if len(value["content"]) > 1:
                continue
            todo = f"Use {JSON}, {FORM}, {MULTIPART}, or a schema of the type string."
            raise SpecError(f"{pointer}: {content_type} is not served. {todo}")
        media[kind] = _media(document, place, is_sent=True)
    if FORM in media and _also_accepted(document).get("json"):
        media.setdefault(JSON, media[FORM])
    return Body(bool(value.get("required")), media)


def _response(document: Document, reference: str, method: str, status: str) -> Response:
    pointer, value = document.follow(reference)
    headers = {
        name: header
        for name in value.get("headers", {})
        for header, entry in [document.follow(join(pointer, "headers", name))]
        if entry.get("required")
    }
    is_empty = status in ("204", "205", "304") or (method == "head" and status[0] == "2")
    content = {} if is_empty else value.get("content", {})
    kind = min(content, key=lambda kind: not is_json(media_type(kind)), default=None)
    media = None if kind is None else _media(document, join(pointer, "content", kind))
    if kind == "*/*":
        schema = join(pointer, "content", kind, "schema")
        has_schema = "schema" in content[kind]
        kind = JSON if has_schema and document.types(schema) != {"string"} else "text/plain"
    return Response(pointer, kind, media, headers)


def _media(document: Document, pointer: str, *, is_sent: bool = False) -> Part:
    if "schema" not in document.value(pointer):
        return Part(pointer, {}, document.validator({}, pointer))
    schema = join(pointer, "schema")
    fields = _fields(document, schema)
    reference = document.reference(schema, is_sent=is_sent)
    return Part(pointer, fields, document.validator(reference, schema))


def _fields(document: Document, schema: str) -> dict[str, Field]:
    members = document.properties(schema)
    return {name: _field(document, name, member) for name, member in members.items()}


def _field(
    document: Document, name: str, pointer: str, codes: Any = None, *, explode: bool = True
) -> Field:
    default = item = None
    types = document.types(pointer)
    for here, schema in document.parts(pointer):
        codes = codes or schema.get("x-error-codes")
        default = schema.get("default") if default is None else default
        if item is None and "array" in types and "items" in schema:
            item = _field(document, name, join(here, "items"))
    codes = {kind: (codes or {}).get(kind, CODES[0]) for kind in ("missing", "invalid")}
    return Field(name, types, item, default, explode=explode, **codes)
