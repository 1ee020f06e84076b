"""The names of a package come from the settings, and a wrong setting is told with its place."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from codegen import generate
from contract_diff.recording import load_package
from scripts import try_document
from tests.conftest import ROOT

DONE = {"responses": {"204": {"description": "Done."}}}
PAGE = {
    "200": {
        "description": "Items.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "items": {"type": "array", "items": {"type": "string"}},
                        "next": {"type": ["string", "null"]},
                        "compat": {"$ref": "#/components/schemas/RestClient"},
                    },
                }
            }
        },
    }
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "security": [{"key": []}],
    "tags": [{"name": "Shop Items", "description": "What is for sale."}],
    "paths": {
        "/items": {
            "post": {**DONE, "operationId": "create_item", "tags": ["Shop Items"]},
            "get": {
                "operationId": "list_items",
                "tags": ["Shop Items"],
                "x-pages": {"items": "items", "next": "next"},
                "responses": PAGE,
            },
        },
        "/orders": {"post": {**DONE, "operationId": "create_order", "tags": ["orders"]}},
        "/ping": {"get": DONE},
    },
    "components": {
        "schemas": {"RestClient": {"type": "string", "enum": ["RestClient", "compat"]}},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    },
}
NAMES: dict[str, Any] = {
    "client": "ShopClient",
    "namespace": "shop",
    "error": "ShopError",
    "variables": "SHOP",
    "tags": {"Shop Items": "items"},
    "operations": {
        "create_item": "create",
        "create_order": "create",
        "list_items": "list",
        "GET /ping": "ping",
    },
    "credentials": {"key": "token"},
}


def written(folder: Path, names: dict[str, Any], **settings: str) -> list[str]:
    """Write document and settings; give the arguments of the command."""
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT), "utf-8")
    usual = yaml.safe_load((ROOT / "generator-config.yml").read_text("utf-8"))
    chosen = {**usual, "names": names, **settings}
    (folder / "names.yml").write_text(yaml.safe_dump(chosen, sort_keys=False), "utf-8")
    files = ("openapi.json", "shop", "names.yml")
    options = ("--spec", "--output", "--config")
    pairs = zip(options, (str(folder / name) for name in files), strict=True)
    return [word for pair in pairs for word in pair]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    packages = {"package_name_override": "shop", "project_name_override": "shop-client"}
    assert generate.main(written(folder, NAMES, **packages)) == 0
    return folder / "shop"


def test_a_package_has_the_names_of_its_settings(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = load_package(package)
    with MockServer(package.parent / "openapi.json") as mock:
        monkeypatch.setenv("SHOP_HOST", mock.url)
        monkeypatch.setenv("SHOP_TOKEN", DEFAULT_TOKEN)
        with shop.ShopClient() as client:
            client.shop.items.create()
            client.shop.orders.create()
            assert type(client.shop.items.list()).__name__ == "ListPage"

        async def call() -> None:
            async with shop.AsyncShopClient(token=DEFAULT_TOKEN) as client:
                await client.shop.default.ping()

        asyncio.run(call())
        sent = [(exchange.method, exchange.path) for exchange in mock.journal]
        agents = {dict(exchange.headers)["user-agent"].split("/")[0] for exchange in mock.journal}
    assert sent == [("POST", "/items"), ("POST", "/orders"), ("GET", "/items"), ("GET", "/ping")]
    assert agents == {"shop-client"}
    monkeypatch.delenv("SHOP_HOST")
    with pytest.raises(shop.ShopError, match="or set SHOP_HOST"):
        shop.ShopClient()


def test_nothing_else_in_it_has_the_usual_names(package: Path) -> None:
    odd = re.compile(r"\b(Async)?(RestClient|Compat)\b|[Ss]ignal[Ww]ire|SIGNALWIRE|\.compat\b")
    for module in package.rglob("*.py"):
        found = odd.search(module.read_text("utf-8"))
        # The document has a schema of such a name.
        assert not found or module.parent.name == "models", (module, found)


def test_it_is_strictly_typed_and_tried(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = package.parent
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={folder}/cache", "shop"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert try_document.main([str(folder / "openapi.json"), str(folder / "names.yml")]) == 0
    assert "4 of 4 operations work" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "place", "words"),
    [
        ({"clent": "A"}, "names.clent", 'is not a setting: the nearest is "client"'),
        ({"client": "Shop Client"}, "names.client", "'Shop Client' is not a name in Python"),
        ({"client": "class"}, "names.client", "is not a name in Python"),
        ({"error": "ServerError"}, "names.error", "ServerError is a name that the package uses"),
        ({"client": "Shop", "error": "Shop"}, "names", "have the same name: choose others"),
        ({"client": "Shop", "namespace": "shop"}, "names", "have the same name: choose others"),
        ({"namespace": "timeout"}, "names.namespace", "is an attribute of every client"),
        ({"variables": "shop-"}, "names.variables", "is not the name of a variable, such as SHOP"),
        ({"tags": ["a"]}, "names.tags", "is not a mapping of names"),
        ({"tags": {"Items": "items"}}, "names.tags.Items", "no operation has the tag Items"),
        ({"tags": {"orders": "my orders"}}, "names.tags.orders", "is not a name in Python"),
        ({"operations": {"create_items": "a"}}, "names.operations.create_items", '"create_item"'),
        ({"credentials": {"login": "a"}}, "names.credentials.login", "which take key: use one"),
        ({"credentials": {"key": "timeout"}}, "names.credentials.key", "is another argument of"),
        ({"operations": {"create_item": "_a"}}, "names.operations.create_item", "'_a' is not a"),
        (
            {"operations": {"create_item": "list_items"}},
            "names.operations.create_item",
            "list_items is the name of list_items, too, in the tag Shop Items: rename one",
        ),
    ],
)
def test_a_wrong_name_is_told_with_its_place(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    names: dict[str, Any],
    place: str,
    words: str,
) -> None:
    assert generate.main(written(tmp_path, names)) == 1
    told = capsys.readouterr().err.splitlines()
    begin = re.compile(rf"{re.escape(str(tmp_path / 'names.yml'))}:\d+:\d+: {re.escape(place)}: ")
    assert any(begin.match(line) and words in line for line in told), told
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("literal_enum", "true", 'literal_enum: is not a setting: the nearest is "literal_enums"'),
        ("package_name_override", "my-shop", "'my-shop' is not a name in Python"),
        ("literal_enums", "perhaps", "literal_enums: Input should be a valid boolean"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, value: str, words: str
) -> None:
    assert generate.main(written(tmp_path, {}, **{setting: value})) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{tmp_path / 'names.yml'}:"), told
    assert words in told
