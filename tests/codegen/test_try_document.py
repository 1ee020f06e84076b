"""`make try` calls every operation of a document, and says what fails."""

import copy
import json
from pathlib import Path

import pytest

from scripts import try_document
from tests.codegen.test_other_documents import DOCUMENT


def test_every_operation_of_a_document_is_called_and_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(DOCUMENT), "utf-8")
    assert try_document.main([str(spec)]) == 0
    told = capsys.readouterr().out.splitlines()
    names = ["Shop Items.listModels", "Shop Items.list_types", "ping.ping"]
    assert [line for line in told if line.endswith(": works")] == [f"{n}: works" for n in names]
    assert told[-1] == "3 of 3 operations work, and the types are right."


def test_an_operation_that_cannot_be_called_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = copy.deepcopy(DOCUMENT)
    size = {"type": "string", "pattern": "^[0-9]{8}$", "maxLength": 7}
    document["components"]["parameters"]["Size"]["schema"] = size
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(document), "utf-8")
    assert try_document.main([str(spec)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert "Shop Items.listModels: InvalidRequestError: size must be text" in "".join(told)
    assert told[-1] == "2 of 3 operations work, and the types are right."


def test_a_document_that_says_next_to_nothing_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "openapi.json"
    done = {"get": {"responses": {"204": {"description": "Done."}}}}
    form = {"properties": {"file": {"type": "string", "format": "binary"}, "a": {"type": "string"}}}
    sent = {"requestBody": {"content": {"multipart/form-data": {"schema": form}}}}
    paths = {"/a": {**done, "put": {**done["get"], **sent}}}
    document = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "paths": paths}
    spec.write_text(json.dumps(document), "utf-8")
    assert try_document.main([str(spec)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-3:] == [
        "default.get_a: works",
        "default.put_a: works",
        "2 of 2 operations work, and the types are right.",
    ]
