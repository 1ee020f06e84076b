"""Check openapi.yaml beyond what the generator looks at, and say where each mistake stands.

    python -m codegen.check [openapi.yaml]

prints `file:line:column: where: what is wrong, and what to do` for each mistake, and ends with 1
if there is any. A mistake in YAML or in a reference hides those of structure, and these hide
those of meaning, and these hide what readers lack: a rule can only be applied to what the rules
before it found right.
"""

import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema_path.paths import SchemaPath
from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError
from openapi_python_client.strings import PythonIdentifier
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import schema_v31
from openapi_spec_validator.validation import exceptions
from openapi_spec_validator.validation.registries import KeywordValidatorRegistry

from codegen.document import (
    Mark,
    Source,
    SpecError,
    Trouble,
    Where,
    at,
    circles,
    dotted,
    follow,
    members,
    nodes,
    resolve,
    target,
)
from codegen.style import style
from codegen.unsupported import KEYWORDS, unexpressed

# JSON Schema itself lets every word pass that it does not know; here that is a slip.
_META = Draft202012Validator(
    {
        "$ref": "https://json-schema.org/draft/2020-12/schema",
        "properties": dict.fromkeys(
            ("example", "externalDocs", "nullable", "xml", *KEYWORDS), True
        ),
        "patternProperties": {"^x-": True},
        "unevaluatedProperties": False,
    },
    validate_formats=True,
)
_SWITCHES = {"additionalProperties", "unevaluatedProperties", "unevaluatedItems"}


def load(path: Path) -> dict[str, Any]:
    """Read an OpenAPI 3.1 document; `SpecError` names its first mistake."""
    document, lines = examine(path)
    if lines:
        raise SpecError(lines[0])
    return document


def examine(path: Path, *, with_style: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Read a document, and say what is wrong with it, in the order of its lines."""
    try:
        source = Source(path)
    except SpecError as error:
        return {}, [str(error)]
    lines: dict[Mark, str] = {}
    found = source.troubles or troubles(source.data)
    for where, what in found or (style(source.data) if with_style else ()):
        place = resolve(source.data, where)
        # One mistake often breaks several rules; the first one tells it best.
        mark = source.marks[place]
        lines.setdefault(mark, source.line(mark, dotted(place), what))
    return source.data, [lines[mark] for mark in sorted(lines)]


def troubles(document: Any) -> list[Trouble]:
    """Find what is wrong with a document that has been read."""
    if not isinstance(document, dict):
        return [Trouble((), "is not a mapping: begin with `openapi: 3.1.0`")]
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3.1."):
        what = f"is {version!r}, and only OpenAPI 3.1 is understood: write `openapi: 3.1.0`"
        return [Trouble(("openapi",), what)]
    return (
        list(references(document))
        or list(structure(document))
        or [*operations(document), *unexpressed(document), *examples(document)]
    )


def references(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find references that lead nowhere, to a part of another kind, or round in a circle."""
    kinds = {where: kind for kind, where, _ in nodes(document)}
    refs = {where: str(node["$ref"]) for _, where, node in nodes(document) if "$ref" in node}
    ends = {where: target(ref) for where, ref in refs.items() if ref.startswith("#/")}
    truths = dict(_truths(document))
    yield from (Trouble(where, what) for where, what in truths.items())
    for where, ref in refs.items():
        kind, found = kinds[where], kinds.get(ends.get(where, ("",)))
        if ends.get(where) in truths:
            continue
        if found != kind:
            places = [w for w, k in kinds.items() if k == kind and w[0] == "components"]
            known = {str(w[2]): "#/" + "/".join(map(str, w)) for w in places if len(w) == 3}
            near = difflib.get_close_matches(ref.rpartition("/")[2], known, 1, 0)
            todo = f'the nearest {kind} is "{known[near[0]]}"' if near else f"name a {kind}"
            what = f"names a {found}, not a {kind}" if found else "leads nowhere in this document"
            yield Trouble((*where, "$ref"), f'"{ref}" {what}: {todo}')
    for where in circles(document, "allOf", "anyOf", "oneOf"):
        what = f'"{refs[where]}" leads back to itself: name something else'
        yield Trouble((*where, "$ref"), what)


def _truths(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find schemas that are true or false, where the generator has no word for them."""
    for kind, where, node in nodes(document):
        for child, place, value in members(node, kind, where):
            if child == "schema" and isinstance(value, bool):
                todo = "write {} for any value" if value else "remove what can't be there"
                if place[-1] not in _SWITCHES:
                    yield Trouble(place, f"is {str(value).lower()} in place of a schema: {todo}")


def _trouble(error: ValidationError, where: Where, prefix: str = "") -> Trouble:
    """Word an error of a schema; of a union, the most telling one of its branches."""
    kind: Any = error.kind
    inner = [inner for branch in getattr(kind, "context", ()) for inner in branch]
    if inner:
        best = max(inner, key=lambda e: (len(e.instance_path), e.kind.name != "type"))
        return _trouble(best, where, prefix)
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
        what = f'"{unexpected[0]}" is not known here: mend its name, or remove it'
    return Trouble(where, prefix + what)


def structure(document: dict[str, Any]) -> Iterator[Trouble]:
    """Apply the maintained schemas of OpenAPI and of JSON Schema, then the maintained rules."""
    errors = list(Draft202012Validator(dict(schema_v31)).iter_errors(document))
    # What stands beside a wrong value counts as unknown, too; that is no help.
    noise = [e.instance_path[:-1] for e in errors if e.kind.name != "unevaluatedProperties"]
    for error in errors:
        if error.kind.name != "unevaluatedProperties" or error.instance_path not in noise:
            yield _trouble(error, ())
    for kind, where, node in nodes(document):
        found = list(_META.iter_errors(node)) if kind == "schema" else []
        for error in sorted(found, key=lambda e: e.kind.name == "unevaluatedProperties")[:1]:
            errors.append(error)
            yield _trouble(error, where)
    if not errors:
        yield from _rules(document)


def _rules(document: dict[str, Any]) -> Iterator[Trouble]:
    validator = OpenAPIV31SpecValidator(document)
    located = {name: _located(name, rule) for name, rule in validator.keyword_validators.items()}
    # `operations` finds these, too, and knows a better place.
    own = exceptions.DuplicateOperationIDError, exceptions.UnresolvableParameterError
    registry = KeywordValidatorRegistry(located)
    schemas: Any = registry["schema"]
    # It keeps these as lists; with a thousand schemas, looking them up would take most of the time.
    schemas.visited_schema_ids, schemas.meta_checked_schema_ids = _Ids(), _Ids()
    try:
        root: Any = registry["__root__"]
        for error in root(validator.schema_path):
            if not isinstance(error, own):
                yield Trouble(vars(error)["place"], error.message)
    except Exception as error:  # The rules expect a sound document; let no traceback through.
        yield Trouble((), f"openapi-spec-validator stopped with {type(error).__name__}: {error}")


def _located(name: str, rule: Any) -> Any:
    """Let the errors of one of the maintained rules carry the place that it was applied to."""

    def call(self: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        place = next(value for value in arguments if isinstance(value, SchemaPath)).parts
        for error in rule.__call__(self, *arguments, **options):
            tail = ("default",) if name == "default" else tuple(error.absolute_path)
            vars(error).setdefault("place", (*place, *tail))
            yield error

    members: dict[str, Any] = {"__call__": call}
    if name == "schema":  # `structure` has done this, and faster.
        members["_validate_schema_meta"] = lambda *_: None
    return type(rule.__name__, (rule,), members)


class _Ids(set[int]):
    append = set.add


def operations(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find operations that the generator would misname, or that lack what it needs."""
    names: list[tuple[Where, str]] = []
    tags: list[tuple[Where, str]]
    tags = [(("tags", i, "name"), tag["name"]) for i, tag in enumerate(document.get("tags", []))]
    schemes = document.get("components", {}).get("securitySchemes", {})
    for kind, where, node in nodes(document):
        if kind != "operation":
            continue
        if "operationId" in node:
            names.append(((*where, "operationId"), node["operationId"]))
        else:
            yield Trouble(where, "has no operationId: give it one, its function is named after it")
        if where[0] != "paths" or len(where) != 3:
            continue  # A callback is the other side's operation.
        tags += [((*where, "tags", i), tag) for i, tag in enumerate(node.get("tags", []))]
        if len(node.get("tags", [])) != 1:
            place = (*where, "tags") if "tags" in node else where
            yield Trouble(
                place, "needs exactly one tag, the name of its module: write `tags: [..]`"
            )
        if "security" not in node:
            yield Trouble(where, "has no security of its own: add it, no other is generated")
        for i, requirement in enumerate(node.get("security", [])):
            for name in requirement.keys() - schemes.keys():
                known = ", ".join(schemes) or "none"
                what = f'"{name}" is not a security scheme: take one of components ({known})'
                yield Trouble((*where, "security", i, name), what)
            for name in requirement.keys() & schemes.keys():
                scheme = schemes[name]
                if (scheme.get("type"), str(scheme.get("scheme")).lower()) != ("http", "basic"):
                    what = f'"{name}" is not HTTP Basic, and the client has nothing else: remove it'
                    yield Trouble((*where, "security", i, name), what)
        yield from _path_parameters(document, where)
    yield from _clashes("operationId", names)
    yield from _clashes("tag", tags)


def _path_parameters(document: dict[str, Any], where: Where) -> Iterator[Trouble]:
    wanted = set(re.findall(r"\{([^{}]+)\}", str(where[1])))
    declared: dict[str, Where] = {}
    for base in (where[:2], where):
        for index, _ in enumerate(at(document, base).get("parameters", [])):
            place = (*base, "parameters", index)
            parameter = at(document, follow(document, place))
            if parameter["in"] == "path":
                declared[parameter["name"]] = place
    for name in sorted(wanted - declared.keys()):
        what = f"{{{name}}} is not among the parameters of {where[2]}: declare it with `in: path`"
        yield Trouble(where[:2], what)
    for name in sorted(declared.keys() - wanted):
        what = f'the path has no {{{name}}}: remove the parameter "{name}", or add it to the path'
        yield Trouble(declared[name], what)


def _clashes(what: str, names: list[tuple[Where, str]]) -> Iterator[Trouble]:
    first: dict[str, tuple[Where, str]] = {}
    for where, name in names:
        python = PythonIdentifier(name, prefix="")
        other, twin = first.setdefault(python, (where, name))
        if twin != name:
            how = f'gives the name {python}, as does "{twin}" at {dotted(other)}: rename one'
            yield Trouble(where, f'{what} "{name}" {how}')
        elif other != where and what == "operationId":
            yield Trouble(where, f'{what} "{name}" is also that of {dotted(other)}: rename one')


def samples(document: dict[str, Any]) -> Iterator[tuple[Where, Where]]:
    """Find all examples, defaults and enum values: the place of the value, and of its owner."""
    for kind, where, node in nodes(document):
        if kind != "schema" and "schema" not in node:
            continue
        yield from (
            ((*where, key), where) for key in ("example", "default", "const") if key in node
        )
        for key in ("examples", "enum"):
            members = node.get(key, [])
            if isinstance(members, list):
                yield from (((*where, key, index), where) for index, _ in enumerate(members))
                continue
            for place in (follow(document, (*where, key, name)) for name in members):
                if "value" in at(document, place):
                    yield (*place, "value"), where


def examples(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find values that don't fit their schema, or the status under which they stand."""
    registry = Registry([("spec:/", document)], draft=Draft202012)
    kinds = {where: kind for kind, where, _ in nodes(document)}
    replies: dict[Where, list[str]] = {}
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
            yield _trouble(error, where, "does not fit its schema: ")
        said = str(value["status"]) if isinstance(value, dict) and "status" in value else None
        for status in replies.get(owner[:-2], []) if said else ():
            if status[0] in "45" and not re.fullmatch(status.replace("X", r"\d"), said or ""):
                what = f"says {said} under the status {status}: write the status of the reply"
                yield Trouble((*where, "status"), what)


def main(arguments: list[str]) -> int:
    """Print every mistake; see the text of this module."""
    _, lines = examine(Path(arguments[0] if arguments else "openapi.yaml"), with_style=True)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
