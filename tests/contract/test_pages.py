"""openapi.yaml says what the provider's pages say."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from codegen.document import Pointer, at, dotted, nodes, reachable, target
from codegen.samples import samples
from codegen.yaml_source import Source
from tests.conftest import ROOT, only, page_reply
from tests.contract.pages import MIRRORED, PROSE, Document, Flat, differences, page_rows

Change = tuple[str, Document]
GONE = object()
# The keys of prose, of OpenAPI itself and of additions of ours.
OURS = {*PROSE, "openapi", "info", "additionalProperties", "links"}

# The keys of these are names.
NAMED = {"paths", "properties", "responses", "content", "variables", "schemas", "x-error-codes"}
# Removing these changes nothing.
USUAL = [("required", False), ("style", "form"), ("explode", True)]


def changed(document: Any, where: Pointer, value: Any) -> Any:
    """Copy a document with another value at a place, or without the place if it is GONE."""
    step, rest = where[0], where[1:]
    copied = copy.copy(document)
    if rest:
        copied[step] = changed(document[step], rest, value)
    elif value is GONE:
        del copied[step]
    else:
        copied[step] = value
    return copied


def is_fact(where: Pointer) -> bool:
    """Whether a key is a fact of the page, and not prose or an addition of ours."""
    parent, step = where[-2] if len(where) > 1 else "", where[-1]
    if parent in NAMED or isinstance(step, int):
        return parent != "x-error-codes" or str(step).isdigit()
    if step == "operationId" and "callbacks" in where:
        return False
    if where == ("tags",) or step in OURS:
        return False
    return step == "x-error-codes" or not str(step).startswith("x-")


def fact_places(document: Document, where: Pointer = ()) -> Iterator[Pointer]:
    """Find every key and item that carries a fact of the page."""
    node = at(document, where)
    steps = node if isinstance(node, dict) else range(len(node))
    for place in ((*where, step) for step in steps):
        value = at(document, place)
        if not is_fact(place):
            continue
        component = place[0] == "components" and len(place) <= 3
        if not component and place[-1] != "x-error-codes":
            yield place
        if isinstance(value, dict | list) and where[-1:] != ("x-error-codes",):
            yield from fact_places(document, place)


@pytest.fixture(scope="module")
def spec() -> Document:
    """Return the contract before any check, so that a comparison comes first."""
    document: Document = Source(ROOT / "openapi.yaml").data
    return document


@pytest.fixture(scope="module")
def page_spec(spec: Document) -> Document:
    """Return the part of the contract that the pages are about."""
    return only(spec, *MIRRORED.values())


def without_a_fact(document: Document) -> Iterator[Change]:
    """Remove one key or item after the other."""
    for where in fact_places(document):
        if (where[-1], at(document, where)) not in USUAL:
            yield f"without {dotted(where)}", changed(document, where, GONE)


def with_another_fact(document: Document) -> Iterator[Change]:
    """Change one value, or rename one key, after the other."""
    for where in fact_places(document):
        value, step = at(document, where), where[-1]
        what = f"another {dotted(where)}"
        if step == "$ref":
            other = (*target(value)[:-1], "Other")
            document = changed(document, other, {"name": "other", "in": "query", "schema": {}})
            yield what, changed(document, where, f"#/{'/'.join(map(str, other))}")
        elif isinstance(value, bool | int | str):
            new = not value if isinstance(value, bool) else value * 2 or 1
            yield what, changed(document, where, new)
        elif where[-2:-1] and where[-2] in NAMED:
            renamed = changed(document, (*where[:-1], f"{step}X"), value)
            yield what, changed(renamed, where, GONE)


def with_one_more_fact(document: Document) -> Iterator[Change]:
    """Add one thing after the other, wherever it is allowed."""
    for kind, where, node in nodes(document):
        for step, value in additions(kind, where, node):
            more = changed(document, (*where, step), value)
            yield f"with {step}: {value} at {dotted(where)}", more


def additions(kind: str, where: Pointer, node: Document) -> Iterator[tuple[str, Any]]:
    """Return what can be added to a node: the key and its new value."""
    if kind == "document":
        yield "servers", [*node["servers"], {"url": "https://more"}]
    if kind == "operation":
        yield "responses", {**node["responses"], "503": {}}
        extra = {"name": "more", "in": "query", "schema": {}}
        yield "parameters", [*node.get("parameters", []), extra]
    if kind == "operation" and "callbacks" not in where:
        yield "security", [*node["security"], {}]
        yield "tags", [*node["tags"], "more"]
    if kind in {"body", "response"} and "$ref" not in node:
        yield "content", {**node.get("content", {}), "text/plain": {"schema": {}}}
    if kind == "media":
        yield "encoding", {"more": {"explode": False}}
    if kind == "schema":
        facts = {"format": "more", "pattern": "more", "minimum": 1, "minLength": 1, "maxLength": 9}
        # A member that refers to a shared schema may have a default of its own.
        facts |= {"default": "more"} if where[-2] == "properties" else {}
        yield from ((key, value) for key, value in facts.items() if key not in node)
        yield "enum", [*node.get("enum", ()), "more"]
        if isinstance(node.get("type"), str):
            yield "type", [node["type"], "null"]
        if "properties" in node:
            yield "properties", {**node["properties"], "more": {}}
        for name in node.get("properties", {}).keys() - node.get("required", ()):
            yield "required", [*node.get("required", ()), name]


def test_every_fact_of_the_pages_is_in_the_spec(spec: Document) -> None:
    if lines := differences(page_rows(), Flat(spec).rows):
        what = "openapi.yaml and tests/contract/pages.csv differ; correct the wrong one:"
        pytest.fail("\n".join([what, *lines]), pytrace=False)


def test_the_example_reply_is_that_of_the_page(spec: Document) -> None:
    # The page omits the required members that are null; the contract cannot.
    examples = [at(spec, where) for where, owner in samples(spec) if "201" in owner]
    without_null = [{k: v for k, v in each.items() if v is not None} for each in examples]
    assert page_reply() in without_null


@pytest.mark.parametrize(
    "changes", [without_a_fact, with_another_fact, with_one_more_fact], ids=lambda f: f.__name__
)
def test_no_fact_of_the_spec_changes_without_a_report(
    page_spec: Document, changes: Callable[[Document], Iterator[Change]]
) -> None:
    page = Flat(page_spec).rows
    reports = {what: differences(page, Flat(changed).rows) for what, changed in changes(page_spec)}
    assert len(reports) > 500
    assert [what for what, lines in reports.items() if not lines] == []


def test_an_operation_that_the_page_is_not_about_makes_no_difference(spec: Document) -> None:
    paths = {path: {**item, "put": {}} for path, item in spec["paths"].items()}
    paths["/Accounts/{AccountSid}/More"] = {"get": {}}
    assert differences(Flat(spec).rows, Flat({**spec, "paths": paths}).rows) == []


def test_the_request_is_closed_and_every_reply_is_open(page_spec: Document) -> None:
    bodies = [where for kind, where, _ in nodes(page_spec) if kind == "media"]
    assert bodies
    for where in bodies:
        closes = "requestBody" in where and "callbacks" not in where
        for _, place, schema in reachable(page_spec, [("schema", (*where, "schema"))]):
            if "properties" in schema:
                assert schema.get("additionalProperties", True) is (not closes), dotted(place)
            assert "unevaluatedProperties" not in schema, dotted(place)


def test_all_request_methods_share_one_schema(spec: Document) -> None:
    places = [where for kind, where, _ in nodes(spec) if kind == "schema"]
    methods = [where for where in places if set(at(spec, where).get("enum", ())) == {"GET", "POST"}]
    assert methods == [("components", "schemas", "HttpMethod")]
    takers = {
        where[where.index("properties") + 1]
        for where in places
        if at(spec, where).get("$ref") == "#/components/schemas/HttpMethod"
    }
    wanted = {n for (part, n), row in page_rows().items() if row.get("allowed") == "GET POST"}
    assert len(wanted) == 5
    assert takers == wanted
