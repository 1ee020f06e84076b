"""A document of another service, with traits that ours lacks, gives a package that works."""

import asyncio
import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from signalwire_compat_mock import MockServer

from codegen import generate
from contract_diff.recording import load_package
from tests.conftest import run

# Words that the templates write themselves.
WORDS = "UNSET or Unset, builtins.list, datetime, Any, File, Literal, import check_x, \U0001f600."
ITEM: dict[str, Any] = {
    "type": "object",
    "description": WORDS,
    "required": ["size"],
    "properties": {
        "size": {"type": ["string", "null"], "enum": ["s", None], "description": "Its size."},
        "owner": {"$ref": "#/components/schemas/Owner", "description": "Who bought it."},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop \U0001f600", "version": "1"},
    "servers": [{"url": "https://shop.example/v1"}],
    "tags": [{"name": "Shop Items", "description": "What is for sale."}],
    "paths": {
        "/items": {
            "get": {
                "operationId": "listModels",
                "tags": ["Shop Items"],
                "summary": WORDS,
                "description": WORDS,
                "parameters": [
                    {"$ref": "#/components/parameters/Size", "description": "Which size."}
                ],
                "responses": {
                    "200": {
                        "description": "All.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Item"},
                                }
                            }
                        },
                    }
                },
            },
            "post": {
                "operationId": "list_types",
                "x-caution": "A list of types costs 1 EUR.",
                "tags": ["Shop Items"],
                "summary": WORDS,
                "parameters": [
                    {
                        "name": "body",
                        "in": "query",
                        "description": "Which body.",
                        "schema": {"type": "string"},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"type": "array", "items": {"type": "string"}}
                        }
                    },
                },
                "responses": {"204": {"description": "Done."}},
            },
        },
        "/ping": {
            "get": {
                "operationId": "ping",
                "tags": ["ping"],
                "summary": WORDS,
                "responses": {"204": {"description": "Done."}},
            }
        },
    },
    "components": {
        "parameters": {
            "Size": {
                "name": "size",
                "in": "query",
                "description": "A size.",
                "schema": {"type": "string"},
            }
        },
        "schemas": {
            "Item": ITEM,
            "Owner": {
                "type": "object",
                "description": "A person.",
                "properties": {"name": {"type": "string"}},
            },
        },
    },
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate it from JSON in ASCII, where a character can be two escapes."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT, indent=1), "ascii")
    output = folder / "shop"
    assert generate.main(["--spec", str(folder / "openapi.json"), "--output", str(output)]) == 0
    return output


def test_its_operations_are_called_and_their_replies_decoded(package: Path) -> None:
    module = load_package(package)
    with MockServer(package.parent / "openapi.json") as mock:
        with module.RestClient(mock.url) as client:
            (item,) = client.compat.shop_items.list_models(size="s")
            client.compat.shop_items.list_types(body=["a"], body_query="b")
        assert (item.size, item.owner.name) == ("s", "text")

        async def call() -> None:
            async with module.AsyncRestClient(mock.url) as client:
                await client.compat.shop_items.list_types(body=["a"])
                await client.compat.ping.ping()

        asyncio.run(call())
        sent = [(exchange.method, exchange.query, exchange.body) for exchange in mock.journal]
    assert sent == [
        ("GET", "size=s", b""),
        ("POST", "body=b", b'["a"]'),
        ("POST", "", b'["a"]'),
        ("GET", "", b""),
    ]


def test_its_command_has_its_operations_and_its_cautions(package: Path) -> None:
    with MockServer(package.parent / "openapi.json") as mock:

        def call(*words: str) -> tuple[int, str, str]:
            module = (sys.executable, "-W", "error", "-m", "shop", "shop-items", *words)
            done = run(*module, cwd=package.parent, **mock.environment)
            return done.returncode, done.stdout, done.stderr

        status, found, _ = call("list-models", "--size", "s", "--json")
        assert (status, [item["size"] for item in json.loads(found)]) == (0, ["s"])
        assert call("list-models")[1] == "size\ns\n"
        types = ("list-types", "--body", "a", "--body-query", "b")
        status, _, said = call(*types)
        assert (status, "A list of types costs 1 EUR. Nobody" in said) == (2, True)
        assert call(*types, "--yes") == (0, "Done.\n", "")
        sent = [(exchange.method, exchange.query, exchange.body) for exchange in mock.journal]
    assert sent == [("GET", "size=s", b""), ("GET", "", b""), ("POST", "body=b", b'["a"]')]


def test_an_error_has_advice_although_the_contract_has_none(package: Path) -> None:
    module = load_package(package)
    with MockServer(package.parent / "openapi.json") as mock:
        mock.inject(status=429, body="busy")
        client = module.RestClient(mock.url, max_retries=0)
        with client, pytest.raises(module.RateLimitError, match="Wait, then call") as caught:
            client.compat.ping.ping()
    assert caught.value.category == "throttled"


def test_each_part_has_the_words_that_are_nearest_to_it(package: Path) -> None:
    module = load_package(package)
    items = module.RestClient("localhost").compat.shop_items
    assert "What is for sale." in str(type(items).__doc__)
    assert "size: Which size." in str(items.list_models.__doc__)
    assert "body_query: Which body." in str(items.list_types.__doc__)
    assert "\U0001f600" in str(items.list_types.__doc__)
    assert "Who bought it." in (package / "models" / "item.py").read_text("utf-8")


def test_its_types_are_strict_and_one_list_of_values_is_one_type(package: Path) -> None:
    assert sorted(path.stem for path in (package / "models").glob("*.py")) == [
        *("__init__", "item", "item_size_type_1", "owner")
    ]
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={package.parent}", "shop"]
    done = subprocess.run(command, cwd=package.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_half_of_a_pair_of_escapes_is_refused_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["info"]["title"] = "\ud83d"
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(document, indent=1), "ascii")
    assert generate.main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{spec}:4:3: info.title: holds half of a surrogate pair")


def test_the_error_about_an_argument_that_cannot_be_sent_names_the_call(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    item = {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}
    document["paths"]["/items/{code}"] = {
        "put": {
            "operationId": "put_item",
            "tags": ["ping"],
            "summary": "Write an item.",
            "parameters": [
                {
                    "name": "code",
                    "in": "path",
                    "required": True,
                    "description": "Which item.",
                    "schema": {"type": "string"},
                }
            ],
            "requestBody": {"content": item},
            "responses": {"204": {"description": "Done."}},
        }
    }
    (tmp_path / "openapi.json").write_text(json.dumps(document), "utf-8")
    output = tmp_path / "shop"
    assert generate.main(["--spec", str(tmp_path / "openapi.json"), "--output", str(output)]) == 0
    shop = load_package(output)
    client = shop.RestClient("http://127.0.0.1:9")
    for given, arguments in (
        ({}, {"code": ".."}),
        ({"body": shop.models.Item(size="s")}, {"code": "..", "size": "s"}),
    ):
        with pytest.raises(shop.InvalidRequestError, match=r"^code can't be '\.\.'") as raised:
            client.compat.ping.put_item("..", **given)
        assert (raised.value.operation, raised.value.arguments) == ("ping.put_item", arguments)
