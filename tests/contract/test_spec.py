"""Rules that openapi.yaml keeps, besides those of the checks."""

from typing import Any

from codegen.document import dotted, nodes

Document = dict[str, Any]


def test_every_operation_has_what_its_docstring_needs(contract: Document) -> None:
    found = [(where, node) for kind, where, node in nodes(contract) if kind == "operation"]
    assert found
    for where, node in found:
        # The caller serves the operations of a callback, so these need less.
        needed = {"summary", "x-source", "operationId"}
        if "callbacks" not in where:
            needed |= {"description", "externalDocs", "security"}
        assert needed <= node.keys(), dotted(where)
        assert 0 < len(node["summary"]) <= 72, dotted(where)


def test_every_error_code_of_a_field_is_in_the_table_of_codes(contract: Document) -> None:
    table = contract["components"]["schemas"]["Error"]["x-error-codes"]
    used = [
        (dotted(where), code)
        for kind, where, node in nodes(contract)
        if kind == "schema" and where[-1] != "Error"
        for code in node.get("x-error-codes", {}).values()
    ]
    assert used
    assert [(where, code) for where, code in used if str(code) not in table] == []
