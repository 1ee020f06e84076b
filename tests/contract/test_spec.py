"""Rules that openapi.yaml keeps, besides those of the checks."""

from typing import Any

from codegen.document import dotted, nodes

Document = dict[str, Any]


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
