"""Find names and types that would clash in the package; the generator chooses most of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.strings import ClassName

from codegen.document import Pointer, Problem
from codegen.facts import Constraints
from codegen.unsupported import LONGEST, OWN_NAMES

OWN_MEMBERS = {"additional_properties", "found_by_look_up", "from_dict", "to_dict"}


def clashes(document: dict[str, Any], data: GeneratorData) -> Iterator[Problem]:
    """Find them all."""
    yield from _clashing_names(document, data)
    yield from _equal_bodies(document, data)


def endpoints(data: GeneratorData) -> list[Endpoint]:
    """List the operations that the generator found."""
    collections = data.endpoint_collections_by_tag.values()
    return [endpoint for collection in collections for endpoint in collection.endpoints]


def own_names(document: dict[str, Any], data: GeneratorData) -> set[str]:
    """Name the classes that the package makes itself."""
    schemas, own = Constraints(document), {*OWN_NAMES}
    for endpoint in endpoints(data):
        name = ClassName(schemas.method(endpoint.name), "")
        own |= {f"{name}Options"}
        own |= {f"{name}Page", f"Async{name}Page"} if schemas.pages(endpoint.name) else set()
    return own


def _clashing_names(document: dict[str, Any], data: GeneratorData) -> Iterator[Problem]:
    """Find names of the contract that the package uses for itself."""
    taken, schemas = own_names(document, data), Constraints(document)
    modules: dict[str, str] = {}
    for schema in (*data.models, *data.enums):
        name, module = schema.class_info.name, schema.class_info.module_name
        where = _component(name)
        if len(module) > LONGEST:
            what = "has a name too long for a file: shorten it, or add a title"
            yield where, f"the schema {name} {what}"
        if (other := modules.setdefault(module, name)) != name:
            yield where, f"the schema {name} has the module {module}.py, as has {other}: rename one"
        if name in taken:
            what = f'"{name}" is a name that the package uses: rename the schema, or name its class'
            yield where, f"{what} in class_overrides of generator-config.yml"
    for model in data.models:
        members = (*(model.required_properties or ()), *(model.optional_properties or ()))
        times = {m.python_name for m in members if schemas.is_rfc2822(model, m.name)}
        own = {*OWN_MEMBERS, *(f"{name}_datetime" for name in times)}
        for member in members:
            if member.python_name in own:
                where = (*_component(model.class_info.name), "properties")
                what = "has a name that every model uses itself, and cannot be generated"
                name = member.name.get_untrusted_value()
                yield (*where, name), f"the member {member.python_name} {what}"


def _equal_bodies(document: dict[str, Any], data: GeneratorData) -> Iterator[Problem]:
    """Find bodies of one operation with the same type in Python, which cannot be told apart."""
    for endpoint in endpoints(data):
        known: dict[str, str] = {}
        for body in endpoint.bodies:
            new = body.content_type.get_untrusted_value()
            code = body.prop.get_instance_type_string().as_unembedded_code()
            for kind in code.split(" | "):
                if (other := known.setdefault(kind, new)) != new:
                    path = Constraints(document).route(endpoint.name)
                    where = ("paths", path, endpoint.method, "requestBody", "content", new)
                    what = f"{endpoint.name} has bodies of {other} and {new} that are both {kind}"
                    todo = "remove one, or give it a schema of its own"
                    yield where, f"{what} in Python: {todo}"


def _component(name: str) -> Pointer:
    return ("components", "schemas", name)
