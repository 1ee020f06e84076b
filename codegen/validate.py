"""Check the contract beyond what the generator looks at, and say where each mistake is.

    python -m codegen.validate [openapi.yaml]

prints `file:line:column: place: what is wrong, and what to do` for each mistake. The exit status
is 1 if there are any. Checks run in stages: YAML, references and structure, meaning with notes,
then style. A stage with mistakes is the last one, because the next one relies on it.
"""

import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator, ValidationError
from openapi_python_client.strings import PythonIdentifier
from openapi_spec_validator.schemas import schema_v31

from codegen.bulk_finders import wrong_candidates
from codegen.command_hints import wrong_cautions_and_columns
from codegen.credentials import wrong_arguments, wrong_security
from codegen.document import (
    ACCOUNT,
    Pointer,
    Problem,
    at,
    children,
    cycles,
    dotted,
    is_account,
    is_generated,
    nearest,
    nodes,
    parameters_of,
    target,
)
from codegen.lint import style
from codegen.look_up import KEY as LOOK_UP
from codegen.look_up import SHAPE as LOOK_UP_SHAPE
from codegen.look_up import look_ups
from codegen.normal_form import SWITCHES, as_3_1, drop_ignored, normal
from codegen.one_way import COPIES
from codegen.package_names import USUAL, Names, put_names
from codegen.pages import pages
from codegen.reply_repeats import KEY, SHAPE, repeated_arguments
from codegen.samples import described, misfits
from codegen.unchecked import META, Note, notes
from codegen.unsupported import unsupported
from codegen.yaml_source import Mark, Source, SpecError

_META = Draft202012Validator(META, validate_formats=True)
_CONTENT = (
    "refers to content, which OpenAPI 3.1 does not know: write its content types here, or refer to "
    "a whole reply or body"
)
_SHOWN = 3


class Checked(NamedTuple):
    """A document in its normal form, what refuses it, and what the client is generated without."""

    source: Source
    document: dict[str, Any]
    refusals: list[Problem]
    notes: list[Note]

    def lines(self, found: Iterable[Problem]) -> list[str]:
        """Write problems as lines, in the order of the file."""
        return [line for line, _ in self._lines(found)]

    def grouped(self, found: Iterable[Problem]) -> str:
        """Write one problem as a line; several by kind, each with a count and the first places."""
        lines = self._lines(found)
        if len(lines) == 1:
            return lines[0][0]
        kinds: dict[str, list[str]] = {}
        for line, what in lines:
            kinds.setdefault(re.sub(r'"[^"]*"|\d+', "", what), []).append(line)
        kind = "one kind" if len(kinds) == 1 else f"{len(kinds)} kinds"
        text = [f"{self.source.file}: refused in {len(lines)} places, of {kind}:"]
        for group in sorted(kinds.values(), key=len, reverse=True):
            text += group[:_SHOWN]
            text += [f"  and {len(group) - _SHOWN} more of this kind"] if group[_SHOWN:] else []
        return "\n".join(text)

    def _lines(self, found: Iterable[Problem]) -> list[tuple[str, str]]:
        lines: dict[Mark, tuple[str, str]] = {}
        copies = self.document.get(COPIES, {})
        for where, what in found:
            if where[:2] == ("components", "schemas") and where[2:]:
                where = (*where[:2], copies.get(where[2], where[2]), *where[3:])
            place = nearest(self.source.data, where)
            # One mistake often breaks several rules; the first rule describes it best.
            mark = self.source.marks[place]
            lines.setdefault(mark, (self.source.line(mark, dotted(place), what), what))
        return [lines[mark] for mark in sorted(lines)]


def load(path: Path, names: Names = USUAL) -> dict[str, Any]:
    """Read and check an OpenAPI 3.1 document. Errors: `SpecError` with all refusals."""
    checked = read(path, names)
    if checked.refusals:
        raise SpecError(checked.grouped(checked.refusals))
    return checked.document


def read(path: Path, names: Names = USUAL) -> Checked:
    """Read a document, bring it into its normal form and check it. Errors: `SpecError`."""
    source = Source(path)
    if broken := source.problems or malformed(source.data):
        return Checked(source, {}, broken, [])
    document = normal(source.data)
    put_names(document, names)
    made = [("components", "schemas", name) for name in document.get(COPIES, {})]
    wrong = [each for each in misfits(document) if each[0][:3] not in made]
    refusals = problems(document)
    refusals += [(where, what) for value, where, what in wrong if _rules(value)]
    for value in {value for value, _, _ in wrong if value[-1] == "default"}:
        del at(document, value[:-1])["default"]  # None is sent, and the generator would refuse it.
    found = [note for note in notes(source.data, document) if note.where[:3] not in made]
    what = "is a key that reads as int, and is taken for text: quote it"
    found += [Note("number as a key", where, what) for where in source.numbers]
    found += [
        Note(f"{'default' if value[-1] == 'default' else 'example'} that does not fit", where, what)
        for value, where, what in wrong
        if not _rules(value)
    ]
    drop_ignored(document)
    return Checked(source, document, refusals, found)


def _rules(value: Pointer) -> bool:
    """Whether a value is one that its schema allows, not one that it shows."""
    return value[-1] == "const" or (value[-2] == "enum" and isinstance(value[-1], int))


def check(path: Path, *, with_style: bool = False) -> list[str]:
    """List the mistakes of a document and what the client is generated without, a line each."""
    try:
        checked = read(path)
    except SpecError as error:
        return [str(error)]
    found = checked.refusals + [(note.where, note.what) for note in checked.notes]
    return checked.lines(found or (style(checked.source.data) if with_style else ()))


def malformed(document: Any) -> list[Problem]:
    """Find the mistakes of structure and references; without these, parts can be read."""
    if not isinstance(document, dict):
        return [((), "is not a mapping: begin with `openapi: 3.1.0`")]
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith(("3.0.", "3.1.")):
        what = f"is {version!r}, and only OpenAPI 3.0 and 3.1 are supported: write `openapi: 3.1.0`"
        return [(("openapi",), what)]
    document = as_3_1(document)
    return [*references(document), *structure(document)]


def problems(document: dict[str, Any]) -> list[Problem]:
    """Find what a document in its normal form means wrongly, or what the client can't express."""
    return [
        *operations(document),
        *wrong_arguments(document),
        *repeated_arguments(document),
        *pages(document),
        *look_ups(document),
        *wrong_candidates(document),
        *wrong_cautions_and_columns(document),
        *unsupported(document),
    ]


def references(document: dict[str, Any]) -> Iterator[Problem]:
    """Find references that lead nowhere, to another kind of part, or back to themselves."""
    kinds = {where: kind for kind, where, _ in nodes(document)}
    refs = {where: str(node["$ref"]) for _, where, node in nodes(document) if "$ref" in node}
    booleans = dict(_boolean_schemas(document))
    what = "is false in place of a schema: remove what cannot be there"
    yield from ((where, what) for where, value in booleans.items() if not value)
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


def _boolean_schemas(document: dict[str, Any]) -> Iterator[tuple[Pointer, bool]]:
    """Find schemas that are true, which means any value, or false, which no type expresses."""
    for kind, where, node in nodes(document):
        for child, place, value in children(node, kind, where):
            if child == "schema" and isinstance(value, bool) and place[-1] not in SWITCHES:
                yield place, value


def structure(document: dict[str, Any]) -> Iterator[Problem]:
    """Apply the published schemas of OpenAPI and of JSON Schema."""
    found = Draft202012Validator(dict(schema_v31)).iter_errors(document)
    errors = [error for error in found if not _is_form_style(document, error)]
    # The keys beside a wrong value count as unknown too, which is no help.
    noise = [e.instance_path[:-1] for e in errors if e.kind.name != "unevaluatedProperties"]
    for error in errors:
        if [*error.instance_path][-2:] == ["content", "$ref"]:
            yield (*error.instance_path,), _CONTENT
        elif error.kind.name != "unevaluatedProperties" or error.instance_path not in noise:
            yield described(error, ())
    for kind, where, node in nodes(document):
        for error in list(_META.iter_errors(node))[:1] if kind == "schema" else ():
            yield described(error, where)
        if kind == "operation":
            yield from (described(e, (*where, KEY)) for e in SHAPE.iter_errors(node.get(KEY, {})))
        if kind == "link" and LOOK_UP in node:
            wrong = LOOK_UP_SHAPE.iter_errors(node[LOOK_UP])
            yield from (described(e, (*where, LOOK_UP)) for e in wrong)


def _is_form_style(document: dict[str, Any], error: ValidationError) -> bool:
    """Whether an error is a list with commas in a path or header that calls itself a form."""
    *parent, key = error.instance_path or [""]
    return key == "style" and at(document, (*parent,)).get("style") == "form"


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
        if is_generated(where):
            tags |= {(*where, "tags", i): tag for i, tag in enumerate(node["tags"])}
            yield from wrong_security(document, where, node)
            yield from _parameters(document, where)
    yield from _equal_names("operationId", names)
    yield from _equal_names("tag", tags)


def _parameters(document: dict[str, Any], where: Pointer) -> Iterator[Problem]:
    """Find parameters that are declared twice, and those that do not match the path."""
    wanted = set(re.findall(r"\{([^{}]+)\}", str(where[1])))
    declared: dict[str, Pointer] = {}
    seen: set[tuple[Pointer, str, str]] = set()
    accounts: set[str] = set()
    for place, end in parameters_of(document, where):
        name, kind = at(document, end)["name"], at(document, end)["in"]
        if ACCOUNT in at(document, end):
            accounts.add(name)
            if not is_account(at(document, end)) or len(accounts) > 1:
                what = "is `account` on one parameter of a path: correct it, or remove it"
                yield (*end, ACCOUNT), what
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


def main(arguments: list[str]) -> int:
    """Print every mistake; see the docstring of this module."""
    lines = check(Path(arguments[0] if arguments else "openapi.yaml"), with_style=True)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
