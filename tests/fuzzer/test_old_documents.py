"""A document means the same in OpenAPI 3.0 and 3.1, and whatever it leaves out."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from signalwire_compat_fuzz.upgrade import as_read

from .conftest import Fuzz, Shop
from .shop import AUTH

OLD = {
    "openapi: 3.1.0": "openapi: 3.0.3",
    "note: {type: string, maxLength": "note: {type: string, nullable: true, maxLength",
    '{type: [string, "null"]}': "{type: string, nullable: true}",
    "minimum: 1, maximum: 50": "minimum: 0, exclusiveMinimum: true, maximum: 50",
}
REF = {"$ref": "#/components/schemas/Word"}


@pytest.mark.parametrize(("bugs", "status"), [((), 1), (("no note is null",), 0)], ids=str)
def test_a_server_passes_if_it_takes_null_and_keeps_to_exclusive_limits(
    shop: Shop, fuzz: Fuzz, tmp_path: Path, bugs: tuple[str, ...], status: int
) -> None:
    spec = tmp_path / "openapi.yaml"
    text = spec.read_text("utf-8")
    for new, old in OLD.items():
        assert new in text
        text = text.replace(new, old)
    spec.write_text(text, "utf-8")
    done = fuzz("--url", shop(*bugs), "--auth", AUTH, "--seconds", "0", "--examples", "4")
    assert done.returncode == status, done.stdout
    assert "covered: 3/3 operations, 3/3 parameters" in done.stdout
    assert ("FAILED POST /orders" in done.stdout) == bool(status)


@pytest.mark.parametrize(
    ("schema", "allowed", "forbidden"),
    [
        ({"type": "string", "nullable": True}, ["a", None], [1]),
        ({"type": "string", "nullable": False}, ["a"], [None]),
        ({"type": "string", "nullable": True, "enum": ["a"]}, ["a"], [None]),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, ["a", None], ["b"]),
        ({**REF, "nullable": True, "maxLength": 1}, ["ab"], [None, "abc"]),
        ({"allOf": [REF], "nullable": True}, ["ab", None], ["abc", 1]),
        ({"oneOf": [REF, {"type": "integer"}], "nullable": True}, ["ab", 1, None], ["abc"]),
        ({"type": "array", "items": {"type": "integer", "nullable": True}}, [[None]], [None]),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, [0.1], [0]),
        ({"type": "number", "maximum": 0, "exclusiveMaximum": False}, [0], [0.1]),
        ({"type": "number", "exclusiveMaximum": True}, [0], ["a"]),
        *(
            ({"properties": {name: {"type": "string", "nullable": True}}}, [{name: None}], [])
            for name in ("nullable", "properties", "enum", "default")
        ),
        ({"enum": [{"type": "a", "nullable": True}]}, [{"type": "a", "nullable": True}], [{}]),
    ],
    ids=str,
)
def test_a_schema_allows_what_it_allows_in_openapi_3_0(
    schema: dict[str, Any], allowed: list[Any], forbidden: list[Any]
) -> None:
    components = {"schemas": {"Word": {"type": "string", "maxLength": 2}, "It": schema}}
    document = as_read({"openapi": "3.0.3", "paths": {}, "components": components})
    assert document["openapi"] == "3.1.0"
    it = jsonschema_rs.Draft202012Validator({**document, "$ref": "#/components/schemas/It"})
    for value in (*allowed, *forbidden):
        assert it.is_valid(value) == (value in allowed), value


def test_what_stands_beside_a_reference_counts_in_openapi_3_1() -> None:
    document = {"openapi": "3.1.0", "components": {"schemas": {"It": {**REF, "maxLength": 1}}}}
    assert as_read(document) == document


def test_a_server_passes_whatever_its_document_leaves_out(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    spec = tmp_path / "openapi.yaml"
    text = spec.read_text("utf-8")
    for written, shorter in {
        'version: "1"': "version: 1.0",
        "openapi: 3.1.0": "openapi: 3.1",
        "description: Prices.": "description: null",
        '"422": {description: The order is wrong.}': '"422": {content: {application/json: {}}}',
        "id: {type: string}": "id: true",
        "additionalProperties: false": "additionalProperties: false\n              allOf: [true]",
        "          application/json:\n            schema:\n              type: object": (
            "          application/json:\n"
            "            examples: {far: {externalValue: http://127.0.0.1:1/order.json}}\n"
            "            schema:\n              type: object"
        ),
    }.items():
        assert written in text, written
        text = text.replace(written, shorter)
    spec.write_text(text, "utf-8")
    done = fuzz("--url", shop(), "--auth", AUTH, "--seconds", "0", "--examples", "4")
    assert done.returncode == 0, done.stderr + done.stdout
