"""The contract says what the provider's page says, and a broken contract is refused."""

import copy
import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.check import check, examples, load, main, samples
from codegen.document import Pointer as Where
from codegen.document import at, dotted, follow, nodes, target
from codegen.source import Source, SpecError

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "openapi.yaml"
PAGE = Path(__file__).with_name("purchase_page.csv")

Row = dict[str, str]
Rows = dict[tuple[str, str], Row]
Document = dict[str, Any]

KEYWORDS = {"minLength": "min_length", "maxLength": "max_length"}
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}


@pytest.fixture(scope="module")
def spec() -> Document:
    """Return the contract as it stands, so that a comparison comes before any other rule."""
    document: Document = Source(SPEC).data
    return document


@pytest.fixture(scope="module")
def page_spec(spec: Document) -> Document:
    """Return the part of the contract that the page is about."""
    paths = {
        path: {m: v for m, v in item.items() if f"{m.upper()} {path}" in MIRRORED}
        for path, item in spec["paths"].items()
    }
    part = {**copy.deepcopy(spec), "paths": {path: item for path, item in paths.items() if item}}
    components = part["components"]
    size = -1
    while size != sum(map(len, components.values())):
        size = sum(map(len, components.values()))
        used = {target(node["$ref"]) for _, _, node in nodes(part) if "$ref" in node}
        for kind in components.keys() - {"securitySchemes"}:
            for name in list(components[kind]):
                if ("components", kind, name) not in used:
                    del components[kind][name]
    return part


# The facts of the page, and the same facts as the contract has them.


def page_rows() -> Rows:
    """Read the table of facts; an empty cell is a fact that does not exist."""
    with PAGE.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    rows = {
        (row.pop("part"), row.pop("name")): {k: v for k, v in row.items() if v} for row in table
    }
    assert len(rows) == len(table), "the table has a row twice"
    return rows


MIRRORED = {name for part, name in page_rows() if part == "operation"}
"""The operations that the page is about; the contract may have others."""


def text(value: Any) -> str:
    """Write a value as a cell."""
    return value if isinstance(value, str) else yaml.safe_dump(value).split("\n")[0]


def merged(document: Document, where: Where) -> Document:
    """Return a schema with what it takes over by `$ref` or by an `allOf` of one member."""
    schema = dict(at(document, where))
    if "$ref" in schema:
        schema = {**merged(document, target(schema.pop("$ref"))), **schema}
    if len(schema.get("allOf", ())) == 1:
        base = merged(document, (*where, "allOf", 0))
        schema = {**base, **{name: value for name, value in schema.items() if name != "allOf"}}
    return schema


class Flat:
    """The contract as rows of the same shape as the table."""

    def __init__(self, document: Document) -> None:
        """Flatten the operations of the page, with all that they lead to."""
        self.document = document
        self.rows: Rows = {}
        self.parts: dict[Where, str] = {}
        for server in document.get("servers", []):
            self.server(server)
        for kind, where, node in nodes(document):
            if kind == "operation" and f"{str(where[-1]).upper()} {where[-2]}" in MIRRORED:
                self.operation(where, "")
                self.rows["operation", "operationId"] = {"allowed": node.get("operationId", "")}
                self.rows["operation", "tag"] = {"allowed": " ".join(node.get("tags", []))}
                self.rows["operation", "security"] = {"allowed": self.security(node)}

    def server(self, server: Document) -> None:
        """Add the address, and its variables with whether the address has a place for them."""
        address = server.get("url", "")
        self.rows["server", address] = {}
        for name, variable in server.get("variables", {}).items():
            self.rows["server variable", name] = {
                "type": "string",
                "nullable": "no",
                "required": "yes" if f"{{{name}}}" in address else "no",
                "default": variable.get("default", ""),
                "allowed": " ".join(variable.get("enum", ())),
            }

    def security(self, operation: Document) -> str:
        """Say which schemes an operation asks for."""
        schemes = self.document["components"]["securitySchemes"]
        asked = []
        for requirement in operation.get("security", []):
            used = [schemes.get(name, {}) for name in requirement]
            words = [f"{scheme.get('type')} {scheme.get('scheme')}" for scheme in used]
            scopes = [scope for names in requirement.values() for scope in names]
            asked.append(" and ".join([*words, *scopes]) or "none")
        return " or ".join(asked)

    def operation(self, where: Where, prefix: str) -> None:
        """Add parameters, body, replies and callbacks of an operation."""
        operation = at(self.document, where)
        method, path = str(where[-1]).upper(), str(where[-2])
        self.rows[f"{prefix}operation", f"{method} {path}"] = {}
        prefix = f"{prefix}{method} " if prefix else ""
        self.parameters(where, prefix)
        if "requestBody" in operation:
            body = operation["requestBody"]
            self.content((*where, "requestBody"), f"{prefix}body", "", "request", body)
        for status in operation.get("responses", {}):
            place = follow(self.document, (*where, "responses", status))
            role = "response" if status.startswith("2") else "error"
            self.content(place, f"{prefix}reply", status, role)
        for name, callback in operation.get("callbacks", {}).items():
            for expression, item in callback.items():
                place = (*where, "callbacks", name, expression)
                self.parameters(place, "callback ")
                for method in item.keys() & {"get", "post", "put", "delete"}:
                    self.operation((*place, method), "callback ")
        for extra in operation.keys() & {"servers", "deprecated"}:
            self.rows[f"{prefix}operation", extra] = {"allowed": text(operation[extra])}

    def parameters(self, where: Where, prefix: str) -> None:
        """Add the parameters of a path or of an operation."""
        for index, _ in enumerate(at(self.document, where).get("parameters", [])):
            place = follow(self.document, (*where, "parameters", index))
            node = at(self.document, place)
            row = self.schema((*place, "schema"), "callback", required=node.get("required", False))
            usual = {"style": "form", "explode": True}
            for key in node.keys() - {"name", "in", "required", "schema", *PROSE}:
                if node[key] != usual.get(key):
                    row[key] = text(node[key])
            self.rows[f"{prefix}{node.get('in')} parameter", node.get("name", "")] = row

    def content(
        self, where: Where, part: str, status: str, role: str, body: Document | None = None
    ) -> None:
        """Add a body in each of its media types; a reply without any is a row as well."""
        node = at(self.document, where)
        role = "callback" if part.startswith("callback") else role
        if not node.get("content"):
            self.rows[part, status] = {}
        for kind in node.get("content", {}):
            required = None if body is None else body.get("required", False)
            row = self.schema((*where, "content", kind, "schema"), role, required=required)
            self.rows[part, f"{status} {kind}".strip()] = row
        for extra in node.keys() - {"content", "required", *PROSE}:
            self.rows[part, f"{status} {extra}"] = {"allowed": text(node[extra])}

    def schema(self, where: Where, part: str, *, required: bool | None) -> Row:
        """Describe a value in one row; the members of an object become rows of their own."""
        if where[-1] not in at(self.document, where[:-1]):
            return {}
        schema = merged(self.document, where)
        types = schema.pop("type", [])
        types = [types] if isinstance(types, str) else types
        row = {
            "type": " ".join(name for name in types if name != "null"),
            "nullable": "yes" if "null" in types else "no",
        }
        if required is not None:
            row["required"] = "yes" if required else "no"
        if "properties" in schema:
            row["members"] = self.members(where, schema, part)
        if "enum" in schema:
            row["allowed"] = " ".join(map(text, schema.pop("enum")))
        rest = schema.keys() - {"properties", "required", "additionalProperties", *PROSE}
        for key in (key for key in rest if not key.startswith("x-")):
            row[KEYWORDS.get(key, key)] = text(schema[key])
        return row

    def members(self, where: Where, schema: Document, part: str) -> str:
        """Add the members of an object once, and return the part in which they stand."""
        place = follow(self.document, where)
        while len(at(self.document, place).get("allOf", ())) == 1:
            place = follow(self.document, (*place, "allOf", 0))
        if place in self.parts:
            return self.parts[place]
        part = part if part not in self.parts.values() else dotted(place)
        self.parts[place] = part
        needed = schema.get("required", [])
        for name in [*schema["properties"], *(n for n in needed if n not in schema["properties"])]:
            member = (*place, "properties", name)
            self.rows[part, name] = self.schema(member, name, required=name in needed)
        self.rows.update((("error code", code), {}) for code in schema.get("x-error-codes", ()))
        return part


def differences(page: Rows, found: Rows) -> list[str]:
    """Compare both sides: one line for each fact that only one side has, or has otherwise."""
    lines = []
    for key in sorted(page.keys() | found.keys()):
        field = " ".join(key)
        if key not in found:
            lines.append(f"{field}: the page has it, the spec does not")
        elif key not in page:
            lines.append(f"{field}: the spec has it, the page does not")
        else:
            ours, theirs = found[key], page[key]
            for name in sorted(ours.keys() | theirs.keys()):
                if (one := theirs.get(name, "")) != (other := ours.get(name, "")):
                    lines.append(f'{field}: {name}: page says "{one}", spec says "{other}"')
    return lines


def test_every_fact_of_the_page_stands_in_the_spec(spec: Document) -> None:
    """A missing fact, an additional one and a different one are all mistakes."""
    if lines := differences(page_rows(), Flat(spec).rows):
        told = (
            "openapi.yaml is not what tests/contract/purchase_page.csv says, the table of the page"
        )
        pytest.fail("\n".join([f"{told}; mend the one that is wrong:", *lines]), pytrace=False)


def test_the_example_reply_is_that_of_the_page(spec: Document, page_reply: dict[str, Any]) -> None:
    """The page leaves out the required members that are null; the contract can not."""
    shown = [at(spec, where) for where, owner in samples(spec) if "201" in owner]
    assert len(shown) == 1
    assert {name: value for name, value in shown[0].items() if value is not None} == page_reply


# Every single change of a fact is reported: the changes are made from the contract itself.

Change = tuple[str, Document, set[str]]

# Mappings whose keys are names, and the words by which the table calls what has no name.
NAMED = {"paths", "properties", "responses", "content", "variables", "schemas", "x-error-codes"}
LISTED = {"required", "parameters", "servers", "callbacks"}
WORDS = {"security": "security", "operationId": "operationId", "tags": "tag", "servers": "server"}
# To leave these out changes nothing.
USUAL = [("required", False), ("style", "form"), ("explode", True)]


def is_fact(where: Where) -> bool:
    """Tell the facts of the page from prose, and from what is ours."""
    parent, step = where[-2] if len(where) > 1 else "", where[-1]
    if parent in NAMED or isinstance(step, int):
        return parent != "x-error-codes" or str(step).isdigit()
    if step == "operationId" and "callbacks" in where:
        return False
    if where == ("tags",) or step in {*PROSE, "openapi", "info", "additionalProperties"}:
        return False
    return step == "x-error-codes" or not str(step).startswith("x-")


def fact_places(document: Document, where: Where = ()) -> Iterator[Where]:
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


def names_of(document: Document, where: Where) -> set[str]:
    """Return the names by which a reader knows the fact at a place."""
    value = at(document, where)
    if where[-1] in NAMED | LISTED and isinstance(value, dict | list):
        steps = value if isinstance(value, dict) else range(len(value))
        return {name for step in steps for name in names_of(document, (*where, step))}
    if where[0] == "paths" and where[3:4] and where[3] in WORDS:
        return {WORDS[str(where[3])]}
    for place in (where[:end] for end in range(len(where), 1, -1)):
        parent, step = place[-2], str(place[-1])
        if parent == "content" and place[-4] == "responses":
            return {f"{place[-3]} {step}"}
        if step == "requestBody":
            return names_of(document, (*place, "content"))
        if parent == "callbacks":
            return set(at(document, place))
        if parent == "parameters":
            return {at(document, follow(document, place))["name"]}
        if parent == "required":
            return {value}
        if parent == "servers":
            return {"server"}
        if parent == "securitySchemes":
            return {"security"}
        if parent == "schemas":
            break
        if parent in NAMED:
            return {step}
    refs = [w for _, w, node in nodes(document) if target(node.get("$ref", "")) == where[:3]]
    return {name for ref in refs for name in names_of(document, ref)}


def without_a_fact(document: Document) -> Iterator[Change]:
    """Leave out one key or item after the other."""
    for where in fact_places(document):
        if (where[-1], at(document, where)) in USUAL:
            continue
        changed = copy.deepcopy(document)
        del at(changed, where[:-1])[where[-1]]
        yield f"without {dotted(where)}", changed, names_of(document, where)


def with_another_fact(document: Document) -> Iterator[Change]:
    """Change one value after the other, and rename one thing after the other."""
    for where in fact_places(document):
        value, step = at(document, where), where[-1]
        changed = copy.deepcopy(document)
        holder = at(changed, where[:-1])
        if step == "$ref":
            section, _, name = value.rpartition("/")
            names = at(document, target(section))
            holder[step] = f"{section}/{next(other for other in names if other != name)}"
        elif isinstance(value, bool):
            holder[step] = not value
        elif isinstance(value, int | str):
            holder[step] = value * 2
        elif where[-2:-1] and where[-2] in NAMED:
            holder[f"{step}X"] = holder.pop(step)
        else:
            continue
        yield f"another {dotted(where)}", changed, names_of(document, where)


def with_one_more_fact(document: Document) -> Iterator[Change]:
    """Add one thing after the other, wherever it can stand."""
    for kind, where, node in nodes(document):
        for step, value, names in additions(kind, where, node):
            changed = copy.deepcopy(document)
            at(changed, where)[step] = value
            what = f"with {step}: {value} at {dotted(where)}"
            yield what, changed, names or names_of(document, where)


def additions(kind: str, where: Where, node: Document) -> Iterator[tuple[str, Any, set[str]]]:
    """Return what can be added to a node: the key, its new value, the names to be reported."""
    if kind == "document":
        yield "servers", [*node["servers"], {"url": "https://more"}], {"https://more"}
    if kind == "operation":
        yield "responses", {**node["responses"], "503": {}}, {"503"}
        extra = {"name": "more", "in": "query", "schema": {}}
        yield "parameters", [*node.get("parameters", []), extra], {"more"}
    if kind == "operation" and "callbacks" not in where:
        yield "security", [*node["security"], {}], {"security"}
        yield "tags", [*node["tags"], "more"], {"tag"}
    if kind in {"body", "response"}:
        yield "content", {**node.get("content", {}), "text/plain": {"schema": {}}}, {"text/plain"}
    if kind == "schema":
        yield from schema_additions(where, node)


def schema_additions(where: Where, node: Document) -> Iterator[tuple[str, Any, set[str]]]:
    """Return what can be added to a schema."""
    facts = {"enum": ["more"], "format": "more", "pattern": "more", "minLength": 1, "maxLength": 9}
    for step, value in {**facts, "minimum": 1}.items():
        if step not in node:
            yield step, value, set()
    # The place that names a shared schema may have a default of its own.
    if where[-2] == "properties" and "default" not in node:
        yield "default", "more", set()
    if isinstance(node.get("type"), str):
        yield "type", [node["type"], "null"], set()
    if "enum" in node:
        yield "enum", [*node["enum"], "more"], set()
    if "properties" in node:
        yield "properties", {**node["properties"], "more": {}}, {"more"}
    for name in node.get("properties", {}).keys() - node.get("required", ()):
        yield "required", [*node.get("required", ()), name], {name}


@pytest.mark.parametrize(
    "changes", [without_a_fact, with_another_fact, with_one_more_fact], ids=lambda f: f.__name__
)
def test_no_fact_of_the_spec_changes_without_a_report(
    page_spec: Document, changes: Callable[[Document], Iterator[Change]]
) -> None:
    """The comparison notices every single change, and its report names the thing."""
    page, silent, count = Flat(page_spec).rows, [], 0
    for what, changed, names in changes(page_spec):
        report = "\n".join(differences(page, Flat(changed).rows))
        assert names, what
        count += 1
        if not report or any(name not in report for name in names):
            silent.append(f"{what}: {names} not in {report!r}")
    assert count > 100
    assert not silent, "\n".join(silent)


def test_an_operation_that_the_page_is_not_about_is_no_difference(spec: Document) -> None:
    """A new operation needs no other file than the contract."""
    paths = {path: {**item, "get": {}} for path, item in spec["paths"].items()}
    paths["/Accounts/{AccountSid}/More"] = {"get": {}}
    assert differences(Flat(spec).rows, Flat({**spec, "paths": paths}).rows) == []


def test_no_row_of_the_page_leaves_without_a_report(spec: Document) -> None:
    """The comparison works in the other direction as well."""
    page = found = Flat(spec).rows
    for key, row in page.items():
        rest = {other: facts for other, facts in page.items() if other != key}
        assert differences(rest, found) == [f"{' '.join(key)}: the spec has it, the page does not"]
        for name in filter(row.get, row):
            less = {**page, key: {other: fact for other, fact in row.items() if other != name}}
            (line,) = differences(less, found)
            assert line.startswith(f'{" ".join(key)}: {name}: page says "", spec says "')


# What every contract of this project keeps to.


def test_every_example_fits_its_schema_and_its_status(spec: Document) -> None:
    """Examples, defaults and enum values are checked, and none is wrong."""
    owners = {owner[-1] for _, owner in samples(spec)}
    assert {"application/json", "application/x-www-form-urlencoded", "AccountSid"} <= owners
    assert list(examples(spec)) == []


def test_the_request_is_closed_and_every_reply_is_open(page_spec: Document) -> None:
    """We send nothing undocumented, and the provider may add members at any time."""
    bodies = [where for kind, where, _ in nodes(page_spec) if kind == "media"]
    assert bodies
    for where in bodies:
        for place in objects(page_spec, (*where, "schema")):
            schema = at(page_spec, place)
            closed = schema.get("additionalProperties") is False
            assert closed == ("requestBody" in where and "callbacks" not in where), dotted(place)
            assert "unevaluatedProperties" not in schema, dotted(place)


def objects(document: Document, where: Where) -> Iterator[Where]:
    """Find the object schemas that a schema is made of."""
    where = follow(document, where)
    if "properties" in at(document, where):
        yield where
    for kind, place, node in nodes(at(document, where), "schema", where):
        if kind == "schema" and "$ref" in node:
            yield from objects(document, place)


def test_every_operation_tells_all_that_its_docstring_needs(spec: Document) -> None:
    """An operation of a callback is one that the caller serves, so it needs less."""
    found = [(where, node) for kind, where, node in nodes(spec) if kind == "operation"]
    assert found
    for where, node in found:
        needed = {"summary", "x-source", "operationId"}
        if "callbacks" not in where:
            needed |= {"description", "externalDocs", "security"}
        assert needed <= node.keys(), dotted(where)
        assert 0 < len(node["summary"]) <= 72, dotted(where)


def test_all_request_methods_share_one_schema(spec: Document) -> None:
    """`GET` or `POST` is one type in Python, however many fields take it."""
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


def test_every_error_code_of_a_field_is_in_the_table_of_codes(spec: Document) -> None:
    """A mock server that answers with a code looks up its status there."""
    table = spec["components"]["schemas"]["Error"]["x-error-codes"]
    used = [
        (dotted(where), code)
        for kind, where, node in nodes(spec)
        if kind == "schema" and where[-1] != "Error"
        for code in node.get("x-error-codes", {}).values()
    ]
    assert used
    assert [(where, code) for where, code in used if str(code) not in table] == []


# Mistakes: name, old text, new text, words of the message. The message must point to the key of the
# line with the new text, or to @. A further pair is another edit, made before.

POST, TAGS = "    post:\n      operationId: purchase", "      tags: [phone_numbers]\n"
SECURITY, PATH = "      security:\n        - ProjectToken: []\n", "  /Accounts/{AccountSid}/I"
ACCOUNT, SID = '$ref: "#/components/parameters/AccountSid"', "b3877c40-da60-4998-90ad-b792e98472ac"
ORIGIN = '$ref: "#/components/schemas/Origin"'
LESS = 'value:\n                  PhoneNumber: "+15551234567"\n'
CODE = "        code:\n          type: integer\n"
TWICE = f"parameters:\n        - {ACCOUNT}\n        - @{ACCOUNT}"
FORM, REPLY = "form-urlencoded:\n            schema:\n", '"200":\n                  '

HMAC = "\n      description: >-\n        HMAC"
MISTAKES: list[tuple[str, ...]] = [
    ("a tab", "  title:", "@\ttitle:", "YAML|spaces"),
    ("an open bracket", "numbers]\n      summary:", "numbers\n      summary@:", "','"),
    ("an unknown anchor", "operationId: purchase", "operationId: @*name", "'name'"),
    ("a circular alias", "tags: [phone_numbers]", "tags: &all [*all]", "alias|tags[0]"),
    ("a key twice", "  license:", "  license: {name: MIT}\n  @license:", '"license"|already'),
    ("a second document", "\npaths:", "\n@---\npaths:", "another document"),
    ("a number as key", '"201":', "201:", "responses.201|int|quote it"),
    ("a date as version", '"2010-04-01"', "2010-04-01", "info.version|timestamp|quote it"),
    ("a number as version", '"2010-04-01"', "2010.04", "info.version|quote it"),
    ("a truth as value", "[voice, fax]", "[voice, fax, @no]", "VoiceReceiveMode.enum[2]|quote it"),
    ("a wrong tag", "minLength: 6", "minLength: !!int six", "PhoneNumber.minLength|six|tag"),
    ("an old OpenAPI", "openapi: 3.1.0", "openapi: 3.0.3", "3.0.3|3.1"),
    ("a number as OpenAPI", "openapi: 3.1.0", "openapi: 3.1", "3.1.0"),
    ("no such schema", "/HttpMethod", "/HtpMethod", "SmsFallbackMethod|HtpM|schemas/HttpMethod"),
    ("no such parameter", "parameters/Signa", "parameters/Si", "callbacks|parameters/Signature"),
    ("another file", "#/components/schemas/Err", "errors.yaml#/Err", "errors.yaml|schemas/Error"),
    ("a schema as parameter", "parameters/Acc", "schemas/Acc", "a schema, not a parameter"),
    ("a circle", "  Origin:\n", f"  Origin:\n      @{ORIGIN}\n", "schemas.Origin|itself"),
    ("a name twice", "incoming_call_status\n", "purchase\n", 'callbacks|"purchase"|Numbers.post'),
    ("two names alike", "call_status_by_get", "callStatus", "incoming_call_status|operationId"),
    ("two tags alike", "[phone_numbers]", "[@phoneNumbers]", "phoneNumbers|phone_numbers|tags[0]"),
    ("no operationId", POST, "    post:", "IncomingPhoneNumbers.post|operationId"),
    ("no tag", POST, POST, "one tag", TAGS, ""),
    ("two tags", "tags: [phone_numbers]", "tags: [phone_numbers, more]", "one tag"),
    ("no security", POST, POST, "security of its own", SECURITY, ""),
    ("no such security", "- ProjectToken: []", "- ProjectTokn: []", "ProjectTokn|ProjectToken"),
    ("no such path parameter", PATH, "  /Accounts/{AccountSid}/{Sid}/I", "{Sid}|post"),
    ("a parameter too many", ACCOUNT, ACCOUNT, "AccountSid|parameters[0]", PATH, "  /I"),
    (
        "a parameter twice",
        f"parameters:\n        - {ACCOUNT}",
        TWICE,
        "post.parameters[1]|AccountSid",
    ),
    ("a wrong default", "default: POST", "default: PUT", "SmsFallbackMethod.default|PUT|POST"),
    ("a reply without UUID", f"account_id: {SID}", "account_id: me", "value.account_id|uuid"),
    ("a parameter without UUID", f"example: {SID}", "example: me", "AccountSid.example|uuid"),
    ("a request off its pattern", '"+1555', '"1555', "page.value.PhoneNumber|does not match"),
    ("a request with more", "FriendlyName: Main", "FriendlyNam: Main", "page.value|FriendlyNam"),
    ("a request with less", LESS, "value:\n", 'page.value|"PhoneNumber" is missing'),
    (
        "a callback off its enum",
        "completed\n",
        "done\n",
        "examples[0].CallStatus|completed, failed",
    ),
    ("a number in a callback", '"142"', "142", "examples[0].CallDuration|quote it"),
    ("a long value", f"example: {SID}", f"example: {900 * 'm'}", "AccountSid.example| ... |uuid"),
    (
        "a default of a shared schema",
        CODE,
        f"{CODE}          @default: none\n",
        "Error.properties.code",
    ),
    ("another status", "status: 422\n", "status: 401\n", "responses.422|says 401"),
    ("an unknown key", "summary: Purchase a", "sumary: Purchase a", "post.sumary|not known"),
    ("a key of two lines", "summary: Purchase a", r'"x\ny": Purchase a', "post.x y|not known"),
    ("a missing key", f"{REPLY}d", f"{REPLY}x-d", 'responses.200|"description" is missing'),
    ("a wrong place", f"in: header{HMAC}", f"in: heder{HMAC}", "Signature.in|heder|query, header"),
    (
        "a scheme that the client lacks",
        "- ProjectToken: []",
        "- Bearer: []",
        'security[0].Bearer|"Bearer" is not HTTP Basic',
        "securitySchemes:\n",
        "securitySchemes:\n    Bearer: {type: http, scheme: bearer}\n",
    ),
    ("a wrong scheme", "type: http\n", "type: htp\n", "ProjectToken.type|htp"),
    ("an unknown type", "type: boolean", "type: bool", "beta.type|bool|boolean"),
    ("an unknown type of a body", FORM, f"{FORM}              @type: strng\n", "requestBody|strng"),
    ("an unknown keyword", "maxLength: 18", "maxLenght: 18", "PhoneNumber.maxLenght|not known"),
    ("text for a list", "[PhoneNumber]", "PhoneNumber", "PurchaseRequest.required|array"),
    ("a negative length", "minLength: 6", "minLength: -6", "PhoneNumber.minLength|-6"),
    ("a broken pattern", r"^\+\d", r"^(\+\d", "PhoneNumber.pattern|regex"),
]


def write_mistake(file: Path, mistake: tuple[str, ...]) -> str:
    """Write the contract with a mistake, and give the line and column of it."""
    _, old, new, _, *before = mistake
    broken = SPEC.read_text(encoding="utf-8")
    if before:
        broken = broken.replace(before[0], before[1], 1)
    start = broken.index(old)
    broken = broken[:start] + new + broken[start + len(old) :]
    if "@" in new:
        start, broken = broken.index("@"), broken.replace("@", "")
        line = broken.count("\n", 0, start)
        column = start - broken.rfind("\n", 0, start)
    else:
        line = broken.count("\n", 0, start)
        key = broken.split("\n")[line].lstrip(" -")
        column = broken.split("\n")[line].index(key) + 1
    file.write_text(broken, encoding="utf-8")
    return f"{line + 1}:{column}"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[0].replace(" ", "-"))
def test_a_mistake_is_refused_with_one_line_that_points_to_it(
    tmp_path: Path, mistake: tuple[str, ...]
) -> None:
    """The line names file, line, column, place and problem."""
    file = tmp_path / "openapi.yaml"
    position = write_mistake(file, mistake)
    (message,) = check(file)[1]
    assert message.startswith(f"{file}:{position}: "), message
    assert "\n" not in message
    assert len(message) < len(str(file)) + 400
    assert [word for word in mistake[3].split("|") if word not in message] == [], message


LACKS: list[tuple[str, ...]] = [
    (
        "a field without description",
        "        VoiceUrl:\n          type: string\n          format: uri\n          description",
        "        @VoiceUrl:\n          type: string\n          format: uri\n          title",
        "PurchaseRequest.properties.VoiceUrl|no description",
    ),
    (
        "a tag without description",
        "name: phone_numbers\n    description: Phone",
        "name: phone_numbers\n    x-description: Phone",
        "tags[0]|no description",
    ),
    (
        "a parameter without example",
        "    AccountSid:\n      name",
        "    @AccountSid:\n      name",
        "parameters.AccountSid|no example",
        f"      example: {SID}\n",
        "",
    ),
    (
        "a body without example",
        "form-urlencoded:\n                    schema",
        "form-urlencoded:\n                    schema",
        "no example",
        "      examples:\n        - CallSid",
        "      x-examples:\n        - CallSid",
    ),
    (
        "a component that nobody uses",
        "  schemas:\n",
        "  schemas:\n    @Spare: {type: string, description: Spare.}\n",
        "schemas.Spare|used by no operation",
    ),
    (
        "a schema in small letters",
        "  schemas:\n",
        "  schemas:\n    @spare_part: {type: string, description: Spare.}\n",
        '"spare_part"|PascalCase',
    ),
    (
        "a field in small letters",
        "        VoiceUrl:\n",
        "        @voice_thing: {type: string, description: One.}\n        VoiceUrl:\n",
        '"voice_thing"|PascalCase',
    ),
    (
        "a member in camel case",
        "        account_id:\n",
        "        @accountThing: {type: string, description: One.}\n        account_id:\n",
        '"accountThing"|snake_case',
    ),
    (
        "an operationId in camel case",
        "operationId: incoming_call_status\n",
        "operationId: incomingCallStatus\n",
        '"incomingCallStatus"|snake_case',
    ),
    (
        "credentials that nothing refuses",
        '      responses:\n        "201"',
        '      @responses:\n        "201"',
        "responses|401",
        '        "401":\n',
        "        x-401:\n",
    ),
]


@pytest.mark.parametrize("lack", LACKS, ids=lambda lack: lack[0].replace(" ", "-"))
def test_what_readers_would_miss_is_told_by_lint_and_does_not_stop_a_generation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lack: tuple[str, ...]
) -> None:
    file = tmp_path / "openapi.yaml"
    position = write_mistake(file, lack)
    load(file)
    assert main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines
    found = [line for line in lines if line.startswith(f"{file}:{position}: ")]
    assert found, lines
    assert [word for word in lack[3].split("|") if word not in found[0]] == [], found


FILES: dict[str, tuple[bytes | None, str, str]] = {
    "missing": (None, "1:1", "No such file"),
    "empty": (b"", "1:1", "not a mapping"),
    "only a comment": (b"# nothing\n", "1:1", "not a mapping"),
    "a list": (b"- openapi: 3.1.0\n", "1:1", "not a mapping"),
    "a text": (b"openapi 3.1.0\n", "1:1", "not a mapping"),
    "Latin-1": (b"openapi: 3.1.0\ninfo: {title: caf\xe9}\n", "2:18", "not UTF-8"),
    "a control character": (b"openapi: 3.1.0\ninfo: \x07\n", "2:7", "does not allow"),
    "another format": (b"swagger: '2.0'\n", "1:1", "only OpenAPI 3.1"),
    "numbers all over": (b"openapi: 3.1.0\npaths: 1\ncomponents: {schemas: 2}\n", "1:1", "info"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_contract_is_refused_with_one_line(tmp_path: Path, name: str) -> None:
    """No file can make the check end with a traceback."""
    content, position, words = FILES[name]
    file = tmp_path / "openapi.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}:{position}: "), str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_prints_nothing_for_a_sound_contract() -> None:
    """It is run as `make lint` runs it."""
    command = [sys.executable, "-m", "codegen.check", str(SPEC)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_command_prints_every_mistake_in_the_order_of_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run shows all mistakes of a stage."""
    file = tmp_path / "openapi.yaml"
    broken = SPEC.read_text(encoding="utf-8").replace("status: 401", "status: 403")
    file.write_text(broken.replace("completed\n", "done\n").replace("page:", "p:"), "utf-8")
    assert main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "says 403" in lines[0]
    assert "examples[0].CallStatus" in lines[1]
    assert main([str(tmp_path / "none.yaml")]) == 1
    assert "No such file" in capsys.readouterr().out
    with pytest.raises(SpecError) as caught:
        load(file)
    assert str(caught.value) == lines[0]


def test_a_quote_left_open_is_told_with_the_line_where_the_trouble_begins(tmp_path: Path) -> None:
    """YAML notices at the next quote, which can be far away."""
    file = tmp_path / "openapi.yaml"
    text = SPEC.read_text("utf-8").replace('version: "2010-04-01"', 'version: "2010-04-01', 1)
    file.write_text(text, "utf-8")
    with pytest.raises(SpecError, match="a block mapping from line 17: expected"):
        load(file)


def test_a_contract_of_another_service_is_accepted_as_well(tmp_path: Path) -> None:
    """The check knows no operation of ours; recursive schemas and shared parts are fine."""
    file = tmp_path / "trees.yaml"
    file.write_text(TREES, encoding="utf-8")
    assert load(file)["info"]["title"] == "Trees"


TREES = """
openapi: 3.1.1
info: {title: Trees, version: "1"}
paths:
  x-note: {get: {free: [1, 2]}}
  /trees/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}, example: 3}
    get:
      operationId: get_tree
      tags: [trees]
      security: []
      responses: &replies
        "200":
          description: A tree.
          content: {application/json: {schema: {$ref: "#/components/schemas/Tree"}}}
        4XX: {$ref: "#/components/responses/Problem"}
    put:
      operationId: put_tree
      tags: [trees]
      security: [{}]
      responses: *replies
components:
  responses:
    Problem:
      description: A problem.
      content:
        application/problem+json:
          schema: {$ref: "#/components/schemas/Problem"}
          examples: {lost: {$ref: "#/components/examples/lost"}}
  examples:
    lost: {value: {status: 404}}
  schemas:
    Problem: {type: object, properties: {status: {type: integer}}}
    Tree:
      type: object
      properties:
        example: {type: string}
        free: {default: {$ref: "#/nowhere"}}
        branches: {type: array, items: {$ref: "#/components/schemas/Tree"}}
      examples: [{branches: [{branches: []}]}]
"""
