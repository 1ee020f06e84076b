"""What all models share: other libraries can read and write them."""

from __future__ import annotations

import re
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex

from attrs import fields

from ._schema import Schema
from ._violation import MISSING

# Attributes of `Schema` that are not keywords of JSON Schema by their own name.
_APART = {
    *("types", "must_be", "one_of", "discriminator", "tags", "ref", "_exact_types", "_free_types")
}


class Model:
    """Base of the models."""

    __slots__ = ()

    _schema: ClassVar[Schema]

    if TYPE_CHECKING:  # Each model writes its own.

        def to_dict(self) -> dict[str, Any]: ...

        @classmethod
        def from_dict(cls, src_dict: Any) -> Self: ...

    else:  # No type checker sees it: a page iterates over its items instead.

        def __iter__(self):
            """Let FastAPI call `dict()` on what an endpoint without a return type returns."""
            return iter(self.to_dict().items())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        member = core_schema.typed_dict_field(core_schema.any_schema(), required=False)
        members = dict.fromkeys(cls._schema.properties, member)
        written = core_schema.typed_dict_schema(members, extra_behavior="allow")
        return core_schema.no_info_plain_validator_function(
            cls._validated,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.to_dict, return_schema=written
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {"title": cls.__name__, "description": cls.__doc__, **json_schema(cls._schema)}

    @classmethod
    def _validated(cls, value: Any) -> Self:
        """Take a model as it is, and an object as a call or a reply has it.

        Errors: `ValueError` for what must not be sent, and for a reply without a required member.
        """
        if isinstance(value, cls):
            return value
        model: Any = cls
        if any(isinstance(field.validator, Schema) for field in fields(model)):
            violations = cls._schema.violations(value)
        else:
            value, found = cls._schema.read(value)
            violations = [each for each in found if each.found is MISSING or not each.place]
        if violations:
            raise ValueError("; ".join(violation.problem for violation in violations))
        return cls.from_dict(value)


class Findable(Model):
    """A model that a client can find after the reply that should have brought it was lost."""

    __slots__ = ("_found_by_look_up",)  # No field: `attrs.asdict` gives what the reply had.

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # Protocols 0 and 1 know no slots.
        return super().__reduce_ex__(max(2, index(protocol)))

    @property
    def found_by_look_up(self) -> bool:
        """Whether the reply was lost, and the client found this by looking."""
        return getattr(self, "_found_by_look_up", False)


def json_schema(schema: Schema, above: tuple[Schema, ...] = ()) -> dict[str, Any]:
    """Write a schema as JSON Schema. Where it contains itself, it allows anything."""
    if schema in above:
        return {}

    def written(value: Any) -> Any:
        if isinstance(value, Schema):
            return json_schema(value, (*above, schema))
        if isinstance(value, dict):
            return {name: written(member) for name, member in value.items()}
        return [written(item) for item in value] if isinstance(value, tuple) else value

    keywords: dict[str, Any] = {}
    if "file" in schema.types:
        keywords = {"type": "string", "format": "binary"}
    elif schema.types:
        keywords["type"] = schema.types[0] if len(schema.types) == 1 else [*schema.types]
    for field in fields(Schema):
        value = getattr(schema, field.name)
        if field.name not in _APART and value != field.default:
            first, *rest = field.name.split("_")
            keywords[first + "".join(map(str.capitalize, rest))] = written(value)
    if schema.one_of:
        keywords["oneOf"] = keywords.pop("anyOf")
    if schema.pattern:  # As in ECMA-262 again, where `$` is the very end.
        ends = re.sub(r"\\.", lambda step: "$" if step[0] == r"\Z" else step[0], schema.pattern)
        keywords["pattern"] = ends.replace("(?P<", "(?<")
    return keywords
