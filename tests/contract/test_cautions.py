"""The contract says what the command asks before, and shows in a table; a mistake is refused."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.command_hints import cautions
from codegen.validate import check
from tests.edits.helpers import PATH, Edit, change, find

OPERATION = f"paths {PATH} get"
NUMBER = "components.schemas.IncomingPhoneNumber.x-columns"


def test_what_costs_money_or_can_not_be_undone_has_a_caution(contract: dict[str, Any]) -> None:
    document = copy.deepcopy(contract)
    said = cautions(document)
    assert set(said) == {"phone_numbers.purchase", "phone_numbers.delete"}
    assert "costs money" in said["phone_numbers.purchase"]
    assert said["phone_numbers.delete"] == "This can't be undone."
    find(document, f"paths {PATH}/{{Sid}} delete")["x-caution"] = "It is gone."
    find(document, f"paths {PATH}/{{Sid}} post")["x-caution"] = "It is\nchanged."
    said = cautions(document)
    assert said["phone_numbers.delete"] == "It is gone."
    assert said["phone_numbers.update"] == "It is changed."


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (change(OPERATION, **{"x-caution": True}), ".get.x-caution: is not text: say in"),
        (change("schemas IncomingPhoneNumber", **{"x-columns": "sid"}), f"{NUMBER}: is not a list"),
        (
            change("schemas IncomingPhoneNumber", **{"x-columns": ["sid", "phone"]}),
            f'{NUMBER}[1]: the object has no "phone": the nearest is "phone_number"',
        ),
    ],
)
def test_a_wrong_caution_or_column_is_refused_by_its_place(
    contract: dict[str, Any], tmp_path: Path, edit: Edit, problem: str
) -> None:
    document = copy.deepcopy(contract)
    edit(document)
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    (line,) = check(file)
    assert problem in line
