"""Check the contract beyond what the generator looks at, and say where each mistake is.

    python -m codegen.validate [openapi.yaml]

prints `file:line:column: place: what is wrong, and what to do` for each mistake. The exit status
is 1 if there are any. Checks run in stages: YAML, references, structure, meaning, then style. A
stage with mistakes is the last one, because the next one relies on it.
"""

import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError
from openapi_python_client.strings import PythonIdentifier
from openapi_spec_validator.schemas import schema_v31

from codegen.candidates import wrong_candidates
from codegen.document import (
    Pointer,
    Problem,
    at,
    children,
    cycles,
    dotted,
    follow,
    nearest,
    nodes,
    parameters_of,
    target,
)
from codegen.lint import style
from codegen.look_up import KEY as LOOK_UP
from codegen.look_up import SHAPE as LOOK_UP_SHAPE
from codegen.look_up import look_ups
from codegen.pages import pages
from codegen.repeated_arguments import KEY, SHAPE, repeated_arguments
from codegen.unsupported import KEYWORDS, unsupported
from codegen.yaml_source import Mark, Source, SpecError

# JSON Schema itself accepts unknown keywords; here they are typing errors.
_META = Draft202012Validator(
    {
        "$ref": "https://json-schema.org/draft/2020-12/schema",
        "properties": {
            **dict.fromkeys(("example", "externalDocs", "nullable", "xml", *KEYWORDS), True),
            # The generator knows no others.
            "const": {"type": ["string", "integer", "boolean", "null"]},
            "enum": {"minItems": 1},
        },
        "patternProperties": {"^x-": True},
        "unevaluatedProperties": False,
    },
    validate_formats=True,
)
_SWITCHES = {"additionalProperties", "unevaluatedProperties", "unevaluatedItems"}


def load(path: Path) -> dict[str, Any]:
    """Read and check an OpenAPI 3.1 document. Errors: `SpecError` with the first mistake."""
    document, lines = check(path)
    if lines:
        raise SpecError(lines[0])
    return document


def check(path: Path, *, with_style: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Read a document, and list its mistakes in the order of their lines."""
    try:
        source = Source(path)
    except SpecError as error:
        return {}, [str(error)]
    lines: dict[Mark, str] = {}
    found = source.problems or problems(source.data)
    for where, what in found or (style(source.data) if with_style else ()):
        place = nearest(source.data, where)
        # One mistake often breaks several rules; the first rule describes it best.
        mark = source.marks[place]
        lines.setdefault(mark, source.line(mark, dotted(place), what))
    return source.data, [lines[mark] for mark in sorted(lines)]


def problems(document: Any) -> list[Problem]:
    """Find the mistakes of the first stage that has any."""
    if not isinstance(document, dict):
        return [((), "is not a mapping: begin with `openapi: 3.1.0`")]
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3.1."):
        what = f"is {version!r}, and only OpenAPI 3.1 is supported: write `openapi: 3.1.0`"
        return [(("openapi",), what)]
    return (
        list(references(document))
        or list(structure(document))
        or [
            *operations(document),
            *repeated_arguments(document),
            *pages(document),
            *look_ups(document),
            *wrong_candidates(document),
            *unsupported(document),
            *examples(document),
        ]
    )


def references(document: dict[str, Any]) -> Iterator[Problem]:
    """Find references that lead nowhere, to another kind of part, or back to themselves."""
    kinds = {where: kind for kind, where, _ in nodes(document)}
    refs = {where: str(node["$ref"]) for _, where, node in nodes(document) if "$ref" in node}
    booleans = dict(_boolean_schemas(document))
    yield from booleans.items()
    for where, ref in refs.items():
        kind, end = kinds[where], target(ref) if ref.startswith("#/") else ("",)
        found = kinds.get(end)
        if found != kind and end not in booleans:
            places = [w for w, k in kinds.items() if k == kind and w[0] == "components"]
            known = {str(w[2]): "#/" + "/".join(map(str, w)) for w in places if len(w) == 3}
            near = difflib.get_close_matches(ref.rpartition("/")[2], known, 1, 0)
            todo = f'the nearest {kind} is "{known[near[0]]}"' if near else f"name a {kind}"
            what = f"names a {found}, not a {kind}" if found else "leads nowhere in this document"
            yield (*where, "$ref"), f'"{ref}" {what}: {todo}'
    for where in cycles(document, "allOf", "anyOf", "oneOf"):
        yield (*where, "$ref"), f'"{refs[where]}" leads back to itself: name another part'


def _boolean_schemas(document: dict[str, Any]) -> Iterator[Problem]:
    """Find schemas that are true or false where the generator cannot express it."""
    for kind, where, node in nodes(document):
        for child, place, value in children(node, kind, where):
            if child == "schema" and isinstance(value, bool) and place[-1] not in _SWITCHES:
                todo = "write {} for any value" if value else "remove what cannot be there"
                yield place, f"is {str(value).lower()} in place of a schema: {todo}"


def _problem(error: ValidationError, where: Pointer, prefix: str = "") -> Problem:
    """Describe an error of a schema; of a union, the most specific error of its branches."""
    kind: Any = error.kind
    inner = [inner for branch in getattr(kind, "context", ()) for inner in branch]
    if inner:
        best = max(inner, key=lambda e: (len(e.instance_path), e.kind.name != "type"))
        return _problem(best, where, prefix)
    what = error.message
    where = (*where, *error.instance_path)
    if kind.name == "enum":
        what = f"{error.instance!r} is not one of {', '.join(map(str, kind.options))}"
    elif kind.name == "required":
        what = f'"{kind.property}" is missing: add it'
    elif kind.name == "type" and "string" in kind.types:
        what += ": quote it, or write text"
    elif unexpected := getattr(kind, "unexpected", None):
        where = (*where, unexpected[0])
        what = f'"{unexpected[0]}" is not known here: correct its name, or remove it'
    return where, prefix + what


def structure(document: dict[str, Any]) -> Iterator[Problem]:
    """Apply the published schemas of OpenAPI and of JSON Schema."""
    errors = list(Draft202012Validator(dict(schema_v31)).iter_errors(document))
    # The keys beside a wrong value count as unknown too, which is no help.
    noise = [e.instance_path[:-1] for e in errors if e.kind.name != "unevaluatedProperties"]
    for error in errors:
        if error.kind.name != "unevaluatedProperties" or error.instance_path not in noise:
            yield _problem(error, ())
    for kind, where, node in nodes(document):
        found = list(_META.iter_errors(node)) if kind == "schema" else []
        for error in sorted(found, key=lambda e: e.kind.name == "unevaluatedProperties")[:1]:
            yield _problem(error, where)
        if kind == "operation":
            yield from (_problem(e, (*where, KEY)) for e in SHAPE.iter_errors(node.get(KEY, {})))
        if kind == "link" and LOOK_UP in node:
            wrong = LOOK_UP_SHAPE.iter_errors(node[LOOK_UP])
            yield from (_problem(e, (*where, LOOK_UP)) for e in wrong)


def operations(document: dict[str, Any]) -> Iterator[Problem]:
    """Find operations that lack what the generator needs, or that it would misname."""
    names: dict[Pointer, str] = {}
    tags: dict[Pointer, str]
    tags = {("tags", i, "name"): tag["name"] for i, tag in enumerate(document.get("tags", []))}
    for kind, where, node in nodes(document):
        if kind != "operation":
            continue
        if "operationId" in node:
            names[*where, "operationId"] = node["operationId"]
        else:
            yield where, "has no operationId: add one, its function is named after it"
        if where[0] != "paths" or len(where) != 3:
            continue  # The caller serves the operation of a callback.
        tags |= {(*where, "tags", i): tag for i, tag in enumerate(node.get("tags", []))}
        if len(node.get("tags", [])) != 1:
            yield (*where, "tags"), "needs exactly one tag, its module: write `tags: [..]`"
        if "security" not in node:
            yield where, "has no security of its own: add it, no other is generated"
        yield from _security(document, where, node)
        yield from _parameters(document, where)
    yield from _equal_names("operationId", names)
    yield from _equal_names("tag", tags)


def _security(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    for index, requirement in enumerate(node.get("security", [])):
        for name in requirement:
            place, scheme = (*where, "security", index, name), schemes.get(name, {})
            if name not in schemes:
                known = ", ".join(schemes) or "none"
                yield place, f'"{name}" is not a security scheme: use one of components ({known})'
            elif (scheme.get("type"), str(scheme.get("scheme")).lower()) != ("http", "basic"):
                what = f'"{name}" is not HTTP Basic, which is all that the client has: remove it'
                yield place, what


def _parameters(document: dict[str, Any], where: Pointer) -> Iterator[Problem]:
    """Find parameters that are declared twice, and those that do not match the path."""
    wanted = set(re.findall(r"\{([^{}]+)\}", str(where[1])))
    declared: dict[str, Pointer] = {}
    seen: set[tuple[Pointer, str, str]] = set()
    for place, end in parameters_of(document, where):
        name, kind = at(document, end)["name"], at(document, end)["in"]
        if (place[:-1], name, kind) in seen:
            yield place, f'"{name}" is declared twice: remove one'
        seen.add((place[:-1], name, kind))
        if kind == "path":
            declared[name] = place
    for name in sorted(wanted - declared.keys()):
        yield where[:2], f"{{{name}}} is not a parameter of {where[2]}: declare it with `in: path`"
    for name in sorted(declared.keys() - wanted):
        what = f'the path has no {{{name}}}: remove the parameter "{name}", or add it to the path'
        yield declared[name], what


def _equal_names(what: str, names: dict[Pointer, str]) -> Iterator[Problem]:
    first: dict[str, tuple[Pointer, str]] = {}
    for where, name in names.items():
        python = PythonIdentifier(name, prefix="")
        place, other = first.setdefault(python, (where, name))
        if other != name:
            how = f'becomes {python} in Python, as does "{other}" at {dotted(place)}: rename one'
            yield where, f'{what} "{name}" {how}'
        elif place != where and (what == "operationId" or where[0] == "tags"):
            yield where, f'{what} "{name}" is also at {dotted(place)}: rename one'


def samples(document: dict[str, Any]) -> Iterator[tuple[Pointer, Pointer]]:
    """Find all examples, defaults and enum values: the place of the value, and of its owner."""
    for kind, where, node in nodes(document):
        if kind != "schema" and "schema" not in node:
            continue
        values = [(*where, key) for key in ("example", "default", "const") if key in node]
        for key in ("examples", "enum"):
            members = node.get(key, [])
            if isinstance(members, list):
                values += [(*where, key, index) for index, _ in enumerate(members)]
            else:
                named = (follow(document, (*where, key, name)) for name in members)
                values += [(*place, "value") for place in named if "value" in at(document, place)]
        yield from ((value, where) for value in values)


def examples(document: dict[str, Any]) -> Iterator[Problem]:
    """Find example values that do not fit their schema, or the status they are listed under."""
    registry = Registry([("spec:/", document)], draft=Draft202012)
    kinds = {where: kind for kind, where, _ in nodes(document)}
    replies: dict[Pointer, list[str]] = {}
    for where, kind in kinds.items():
        if kind == "response" and where[-2] == "responses":
            replies.setdefault(follow(document, where), []).append(str(where[-1]))
    for where, owner in samples(document):
        value = at(document, where)
        schema = owner if kinds[owner] == "schema" else (*owner, "schema")
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in schema)
        reference = {"$ref": "spec:/#/" + "/".join(quote(step, safe="~") for step in steps)}
        validator = Draft202012Validator(reference, registry=registry, validate_formats=True)
        for error in validator.iter_errors(value):
            yield _problem(error, where, "does not fit its schema: ")
        written = str(value["status"]) if isinstance(value, dict) and "status" in value else None
        for status in replies.get(owner[:-2], []) if written else ():
            if status[0] in "45" and not re.fullmatch(status.replace("X", r"\d"), written or ""):
                what = f"says {written} under the status {status}: write the status of the reply"
                yield (*where, "status"), what


def main(arguments: list[str]) -> int:
    """Print every mistake; see the docstring of this module."""
    _, lines = check(Path(arguments[0] if arguments else "openapi.yaml"), with_style=True)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
