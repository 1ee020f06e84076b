"""The handlers of the page about them keep state, and refuse, as the page says."""

import copy
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.handlers import HANDLERS

from tests.conftest import PROJECT, ROOT
from tests.docs.conftest import Execute, blocks

PAGE = ROOT / "docs" / "handlers.md"


def test_the_handlers_of_the_page_keep_what_they_are_given(
    tmp_path: Path,
    contract: dict[str, Any],
    execute: Execute,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (fragment,) = blocks(PAGE, "yaml")
    document = copy.deepcopy(contract)
    document["paths"] |= yaml.safe_load(fragment)["paths"]
    spec = tmp_path / "openapi.yaml"
    spec.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    names = ["list_addresses", "create_address"]
    for name in names:  # As they were before, at the end of the test.
        monkeypatch.setitem(HANDLERS, f"addresses.{name}", None)
        monkeypatch.delitem(HANDLERS, f"addresses.{name}")
    assert MockServer(spec).sample_operations == names
    assert f"no state: {', '.join(names)}\n" in PAGE.read_text("utf-8")
    (code,) = blocks(PAGE, "python")
    assert execute(code, environment={}).status == 0
    with MockServer(spec) as mock, httpx.Client(auth=(PROJECT, DEFAULT_TOKEN)) as http:
        url = f"{mock.url}/api/laml/2010-04-01/Accounts/{PROJECT}/Addresses"
        replies = [http.post(url, data={"Customer": name}) for name in ("Ann", "Ann", "Ben")]
        listed = http.get(url).json()
        mock.reset()
        assert http.get(url).json() == []
    assert [reply.status_code for reply in replies] == [201, 422, 201]
    assert listed == [{"sid": "AD1", "customer": "Ann"}, {"sid": "AD2", "customer": "Ben"}]
