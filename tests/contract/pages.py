"""The facts of the provider's pages, and the same facts as the contract has them."""

import csv
import json
from pathlib import Path
from typing import Any

from codegen.document import Pointer, at, dotted, follow, members_of, merged, parts

Row = dict[str, str]
Rows = dict[tuple[str, str], Row]
Document = dict[str, Any]

PAGES = Path(__file__).with_name("pages.csv")
KEYWORDS = {"minLength": "min_length", "maxLength": "max_length", "minItems": "min_items"}
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}


def page_rows() -> Rows:
    """Read the table of facts; an empty cell is a fact that does not exist."""
    with PAGES.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    rows = {
        (row.pop("part"), row.pop("name")): {k: v for k, v in row.items() if v} for row in table
    }
    assert len(rows) == len(table), "the table has a row twice"
    return rows


MIRRORED = {name: row["members"] for (part, name), row in page_rows().items() if part == "page"}
"""The operations that have a page, by their route; the contract may have others."""


def text(value: Any) -> str:
    """Write a value as a cell."""
    return value if isinstance(value, str) else json.dumps(value)


class Flat:
    """The contract as rows like those of the table.

    The parts of an operation begin with the name that its page has in the table. An object is a
    part of its own, with the name of its schema; `x[]` is an item of the list `x`.
    """

    def __init__(self, document: Document) -> None:
        """Flatten the operations of the pages and everything they refer to."""
        self.document = document
        self.rows: Rows = {}
        self.objects: dict[Pointer, str] = {}
        for server in document.get("servers", []):
            address = server.get("url", "")
            self.rows["server", address] = {}
            for name, variable in server.get("variables", {}).items():
                self.rows["server variable", name] = {
                    **{"type": "string", "nullable": "no", "default": variable.get("default", "")},
                    # Required means that the address uses the variable.
                    "required": "yes" if f"{{{name}}}" in address else "no",
                    "allowed": " ".join(variable.get("enum", ())),
                }
        for path, item in document.get("paths", {}).items():
            for method, node in item.items():
                if name := MIRRORED.get(f"{method.upper()} {path}"):
                    self.rows["page", f"{method.upper()} {path}"] = {"members": name}
                    self.operation(("paths", path, method), f"{name} ")
                    for key, fact in (
                        ("operationId", node.get("operationId", "")),
                        ("tag", " ".join(node.get("tags", []))),
                        ("security", self.security(node)),
                    ):
                        self.rows[f"{name} operation", key] = {"allowed": fact}

    def security(self, operation: Document) -> str:
        """Name the security schemes of an operation."""
        schemes = self.document["components"]["securitySchemes"]
        asked = []
        for requirement in operation.get("security", []):
            used = [schemes.get(name, {}) for name in requirement]
            words = [f"{scheme.get('type')} {scheme.get('scheme')}" for scheme in used]
            scopes = [scope for names in requirement.values() for scope in names]
            asked.append(" and ".join([*words, *scopes]) or "none")
        return " or ".join(asked)

    def operation(self, where: Pointer, prefix: str) -> None:
        """Add parameters, body, replies and callbacks of an operation."""
        operation = at(self.document, where)
        self.parameters(where, prefix)
        if "requestBody" in operation:
            body = operation["requestBody"]
            self.content((*where, "requestBody"), f"{prefix}body", "", body)
        for status in operation.get("responses", {}):
            place = follow(self.document, (*where, "responses", status))
            self.content(place, f"{prefix}reply", status)
        for name, callback in operation.get("callbacks", {}).items():
            for expression, item in callback.items():
                place = (*where, "callbacks", name, expression)
                self.parameters(place, f"{prefix}callback ")
                for method in item.keys() & {"get", "post", "put", "delete"}:
                    self.rows[f"{prefix}callback", f"{method.upper()} {expression}"] = {}
                    self.operation((*place, method), f"{prefix}callback {method.upper()} ")
        for extra in operation.keys() & {"servers", "deprecated"}:
            self.rows[f"{prefix}operation", extra] = {"allowed": text(operation[extra])}

    def parameters(self, where: Pointer, prefix: str) -> None:
        """Add the parameters of a path or of an operation."""
        for index, _ in enumerate(at(self.document, where).get("parameters", [])):
            place = follow(self.document, (*where, "parameters", index))
            node = at(self.document, place)
            part, name = f"{prefix}{node.get('in')} parameter", node.get("name", "")
            self.value(part, name, (*place, "schema"), required=node.get("required", False))
            usual = {"style": "form", "explode": True}
            for key in node.keys() - {"name", "in", "required", "schema", *PROSE}:
                if node[key] != usual.get(key) and not key.startswith("x-"):
                    self.rows[part, name][key] = text(node[key])

    def content(self, where: Pointer, part: str, status: str, body: Document | None = None) -> None:
        """Add a body in each of its media types; a reply without a body is a row too."""
        node = at(self.document, where)
        if not node.get("content"):
            self.rows[part, status] = {}
        for kind in node.get("content", {}):
            required = None if body is None else body.get("required", False)
            place = (*where, "content", kind, "schema")
            self.value(part, f"{status} {kind}".strip(), place, required=required)
            for extra in node["content"][kind].keys() - {"schema", *PROSE}:
                fact = {"allowed": text(node["content"][kind][extra])}
                self.rows[part, f"{status} {kind} {extra}".strip()] = fact
        for extra in node.keys() - {"content", "required", "links", *PROSE}:
            self.rows[part, f"{status} {extra}"] = {"allowed": text(node[extra])}

    def value(self, part: str, name: str, where: Pointer, *, required: bool | None) -> None:
        """Add the row of a value; the members of an object and the items of a list have others."""
        row = self.rows[part, name] = {}
        if where[-1] not in at(self.document, where[:-1]):
            return
        schema = merged(self.document, at(self.document, where))
        types = schema.pop("type", [])
        types = [types] if isinstance(types, str) else types
        row["type"] = " ".join(name for name in types if name != "null")
        row["nullable"] = "yes" if "null" in types else "no"
        if required is not None:
            row["required"] = "yes" if required else "no"
        if "properties" in schema:
            place = follow(self.document, where)
            row["members"] = self.objects.get(place) or self.members(place, schema)
        if "items" in schema:
            found = parts(self.document, at(self.document, where), where)
            place = next(place for place, node in found if "items" in node)
            self.value(part, f"{name}[]", (*place, "items"), required=None)
        if "enum" in schema:
            row["allowed"] = " ".join(map(text, schema.pop("enum")))
        known = {"properties", "items", "required", "additionalProperties", *PROSE}
        for key in schema.keys() - known:
            if not key.startswith("x-"):
                row[KEYWORDS.get(key, key)] = text(schema[key])

    def members(self, where: Pointer, schema: Document) -> str:
        """Add the members of an object, and return the name of the part they are in."""
        members, required = members_of(self.document, where)
        place = next(iter(members.values()), where)[:-2]
        part = str(place[-1]) if place[:-1] == ("components", "schemas") else dotted(place)
        self.objects[where] = part
        for name in [*members, *(required - members.keys())]:
            member = members.get(name, (*place, "properties", name))
            self.value(part, name, member, required=name in required)
        self.rows.update((("error code", code), {}) for code in schema.get("x-error-codes", ()))
        return part


def differences(page: Rows, found: Rows) -> list[str]:
    """List the facts that only one side has, or that differ, in one line each."""
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
