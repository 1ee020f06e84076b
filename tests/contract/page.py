"""The facts of the provider's page, and the same facts as the contract has them."""

import csv
from pathlib import Path
from typing import Any

import yaml

from codegen.document import Pointer, at, dotted, follow, members_of, merged, nodes

Row = dict[str, str]
Rows = dict[tuple[str, str], Row]
Document = dict[str, Any]

PAGE = Path(__file__).with_name("purchase_page.csv")
KEYWORDS = {"minLength": "min_length", "maxLength": "max_length"}
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}


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


class Flat:
    """The contract as rows like those of the table."""

    def __init__(self, document: Document) -> None:
        """Flatten the operations of the page and everything they refer to."""
        self.document = document
        self.rows: Rows = {}
        self.parts: dict[Pointer, str] = {}
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
        for kind, where, node in nodes(document):
            if kind == "operation" and f"{str(where[-1]).upper()} {where[-2]}" in MIRRORED:
                self.operation(where, "")
                self.rows["operation", "operationId"] = {"allowed": node.get("operationId", "")}
                self.rows["operation", "tag"] = {"allowed": " ".join(node.get("tags", []))}
                self.rows["operation", "security"] = {"allowed": self.security(node)}

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

    def parameters(self, where: Pointer, prefix: str) -> None:
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
        self, where: Pointer, part: str, status: str, role: str, body: Document | None = None
    ) -> None:
        """Add a body in each of its media types; a reply without a body is a row too."""
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

    def schema(self, where: Pointer, part: str, *, required: bool | None) -> Row:
        """Describe a value in one row; the members of an object become rows of their own."""
        if where[-1] not in at(self.document, where[:-1]):
            return {}
        schema = merged(self.document, at(self.document, where))
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
        for key in schema.keys() - {"properties", "required", "additionalProperties", *PROSE}:
            if not key.startswith("x-"):
                row[KEYWORDS.get(key, key)] = text(schema[key])
        return row

    def members(self, where: Pointer, schema: Document, part: str) -> str:
        """Add the members of an object once, and return the name of the part they are in."""
        members, required = members_of(self.document, where)
        place = next(iter(members.values()), where)[:-2]
        if place in self.parts:
            return self.parts[place]
        part = part if part not in self.parts.values() else dotted(place)
        self.parts[place] = part
        for name in [*members, *(required - members.keys())]:
            member = members.get(name, (*place, "properties", name))
            self.rows[part, name] = self.schema(member, name, required=name in required)
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
