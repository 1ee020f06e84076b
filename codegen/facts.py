"""What the templates ask of the contract: facts of its operations, and its schemas as code."""

from __future__ import annotations

import builtins
import functools
import keyword
import re
from collections.abc import Iterable
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier

from codegen.content_types import FORMS, is_possibly_empty_list, lists_to_fill
from codegen.document import (
    Pointer,
    at,
    called_operations,
    follow,
    is_account,
    json_schema,
    media_type,
    merged,
    parameters_of,
    resolved,
    success_schema,
)
from codegen.look_up import argument_of, look_up_of
from codegen.normal_form import DELIMITERS, WIRE_NAME
from codegen.package_names import NAME
from codegen.schema_code import SOURCE, Expression
from codegen.servers import urls_of

_FILLED = {"minItems": 1}


def method_name(operation: str) -> str:
    """Name the method of an operation. A builtin can have the same name, such as `list`."""
    plain = operation.removesuffix("_")
    return operation if keyword.iskeyword(plain) else plain


def method_of(node: dict[str, Any]) -> str:
    """Name the method of an operation, given its node in the normal form."""
    return str(node.get(NAME) or method_name(PythonIdentifier(node["operationId"], "field_")))


def tag_classes(tags: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Choose the class of each tag: its name, or if that is taken, one that callers never write."""
    chosen: dict[str, str] = {}
    for tag in tags:
        name = ClassName(PythonIdentifier(tag, "tag"), "")
        used = {*taken, *chosen.values(), *(f"Async{each}" for each in chosen.values())}
        while {name, f"Async{name}"} & used:
            name = ClassName(f"{name}Operations", "")
        chosen[tag] = name
    return chosen


class Constraints:
    """The schemas of one document, by the names that the generator gives its parts."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Find the operations of a document that passed the checks."""
        self._document = document
        self._known: dict[str, dict[str, dict[str, Any]]] = {}
        self._operations: dict[str, Pointer] = {
            PythonIdentifier(node["operationId"], "field_"): where
            for where, node in called_operations(document)
        }

    def security(self, operation: str) -> tuple[tuple[str, ...], ...]:
        """Give the ways to authorize an operation, each as names of security schemes."""
        return tuple(tuple(way) for way in self._operation(operation)["security"])

    def server(self, operation: str) -> str:
        """Give the URL of the server of an operation, if it has one of its own."""
        return "".join(urls_of(self._operation(operation))[:1])

    def route(self, operation: str) -> str:
        """Give the path of an operation as the contract writes it."""
        return str(self._operations[operation][1])

    def method(self, operation: str) -> str:
        """Name the method of an operation."""
        return method_of(self._operation(operation))

    def annotation(self, annotation: str) -> str:
        """Write a type so that a method of the same name, such as `list`, does not hide it."""
        hidden = self._hidden
        return re.sub(hidden, r"builtins.\1", annotation) if hidden else annotation

    @functools.cached_property
    def _hidden(self) -> str:
        methods = {self.method(operation) for operation in self._operations}
        hidden = "|".join(sorted(methods & vars(builtins).keys()))
        return rf"(?<![\w.\"'])({hidden})\b" if hidden else ""

    def about_parameter(self, operation: str, name: str) -> str:
        """Say what a parameter is for, and its default, which the server applies."""
        parameter = self._parameters(operation)[name]
        schema = resolved(self._document, parameter.get("schema", {}))
        text = parameter.get("description") or schema.get("description", "")
        known = f" Default: `{schema['default']}`." if "default" in schema else ""
        return f"{text}{known}"

    def about_tag(self, tag: str) -> str:
        """Say what a tag is for; `tag` is its name in Python."""
        return str(self._tags.get(tag) or tag)

    @functools.cached_property
    def _tags(self) -> dict[str, Any]:
        tags = reversed(self._document.get("tags", []))  # Of two with one name the first counts.
        return {PythonIdentifier(each["name"], "tag"): each.get("description") for each in tags}

    def pages(self, operation: str) -> dict[str, str]:
        """Give the members of a reply that hold the items and the URI of the next page."""
        return dict(self._operation(operation).get("x-pages", {}))

    def repeats(self, operation: str) -> list[tuple[str, str, str]]:
        """List member, argument and comparison of what a reply of an operation repeats."""
        members = self._operation(operation).get("x-reply-repeats", {})
        return [(name, rule["argument"], rule["compare"]) for name, rule in members.items()]

    def look_up(self, operation: str) -> dict[str, Any] | None:
        """Describe how to look up the outcome of an operation: the list, and what it is given."""
        link = look_up_of(self._document, self._operations[operation])
        if link is None:
            return None
        name = PythonIdentifier(link["operationId"], "field_")
        return {
            "tag": PythonIdentifier(self._operation(name)["tags"][0], "field_"),
            "list": name,
            "created": link["x-look-up"]["created"],
            "given": {
                PythonIdentifier(parameter, "field_"): argument_of(expression)
                for parameter, expression in link["parameters"].items()
            },
        }

    def is_findable(self, model: Any) -> bool:
        """Whether a look-up finds this model."""
        return model.data.model_extra[SOURCE] in self._findable

    @functools.cached_property
    def _findable(self) -> list[Any]:
        found = (
            success_schema(self._document, self._operations[name])
            for name in self._operations
            if self.look_up(name)
        )
        return [at(self._document, where)[SOURCE] for where in found if where]

    def is_rfc2822(self, model: Any, member: Any) -> bool:
        """Whether a member of a model is a time in the format of RFC 2822."""
        members = merged(self._document, model.data.model_extra[SOURCE]).get("properties", {})
        return merged(self._document, members.get(member)).get("format") == "rfc2822"

    def parameters(self, operation: str) -> str:
        """Write one schema for all parameters of an operation, as if they were an object.

        A required list is not empty, since an empty one would not be sent.
        """
        found = self._parameters(operation)
        members = {name: node.get("schema", {}) for name, node in found.items()}
        required = [name for name, node in found.items() if node.get("required")]
        for _, end in parameters_of(self._document, self._operations[operation]):
            name = at(self._document, end)["name"]
            if name in required and is_possibly_empty_list(self._document, (*end, "schema")):
                members[name] = {"allOf": [members[name]], **_FILLED}
        return self.code({"type": "object", "properties": members, "required": required})

    def _parameters(self, operation: str) -> dict[str, dict[str, Any]]:
        if operation in self._known:
            return self._known[operation]
        found = self._known[operation] = {}
        for here, end in parameters_of(self._document, self._operations[operation]):
            node, reference = at(self._document, end), at(self._document, here)
            # A reference can have a description of its own.
            found[node["name"]] = {**node, **{k: v for k, v in reference.items() if k != "$ref"}}
        return found

    def account(self, operation: str) -> str | None:
        """Name the parameter of the path that is the account of the client, if left out."""
        found = self._parameters(operation).items()
        return next((name for name, node in found if is_account(node)), None)

    def delimiters(self, operation: str, place: str = "query") -> dict[str, str]:
        """Give what is between the items of each list or object of a place that is one value."""
        found = self._parameters(operation).items()
        here = ((name, node) for name, node in found if node["in"] == place)
        listed = ((name, node) for name, node in here if node.get("style") in DELIMITERS)
        return {node.get(WIRE_NAME, name): DELIMITERS[node["style"]] for name, node in listed}

    def wire_name(self, operation: str, name: Any) -> Any:
        """Give the name by which a parameter is sent."""
        return self._parameters(operation)[name].get(WIRE_NAME, name)

    def place(self, operation: str, name: Any) -> str:
        """Say where a parameter stands, such as in a header."""
        return str(self._parameters(operation)[name]["in"])

    def path_style(self, operation: str, name: str) -> str:
        """Write the arguments that say how a value stands in a path, unless in the usual way."""
        node = self._parameters(operation)[name]
        return f", {node['style']!r}, {node['explode']}" if "style" in node else ""

    def is_exploded(self, operation: str, name: str) -> bool:
        """Whether an object is written as `a=1,b=2`, where `a,1,b,2` is usual."""
        return bool(self._parameters(operation)[name].get("explode"))

    def is_deep(self, operation: str, name: str) -> bool:
        """Whether each member of an object in a query is written as `name[member]`."""
        return bool(self._parameters(operation)[name].get("style") == "deepObject")

    def body(self, operation: str, content_type: str) -> str:
        """Write the schema of the body of a request. A required list in a form is not empty."""
        where = self._body(operation, content_type)
        lists = dict.fromkeys(self.filled_lists(operation, content_type), _FILLED)
        schema = at(self._document, where)
        return self.code({"allOf": [schema, {"properties": lists}]} if lists else schema)

    def filled_lists(self, operation: str, content_type: str) -> list[str]:
        """List the members that are not empty in a form, although their schema allows it."""
        where = self._body(operation, content_type)
        is_form = media_type(content_type) in FORMS
        return lists_to_fill(self._document, where) if is_form else []

    def _body(self, operation: str, content_type: str) -> Pointer:
        body = follow(self._document, (*self._operations[operation], "requestBody"))
        return (*body, "content", content_type, "schema")

    def reply(self, operation: str, status: str) -> str:
        """Write the schema of the first JSON body under a status of an operation."""
        where = json_schema(self._document, self._operations[operation], status)
        return self.code(at(self._document, where) if where else {})

    def _operation(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = at(self._document, self._operations[name])
        return found

    def columns(self, model: Any) -> list[str]:
        """List the members that a table of this model shows. Source: `x-columns`."""
        return list(model.data.model_extra[SOURCE].get("x-columns", ()))

    def model(self, model: Any) -> str:
        """Write the schema of a model of the generator."""
        return self.code(model.data.model_extra[SOURCE])

    def code(self, schema: Any) -> str:
        """Write a schema as `Schema(...)`."""
        return Expression(self._document).write(schema)
