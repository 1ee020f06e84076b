"""The servers that a document names: where each operation is sent, and what `host=` does then."""

import json
from typing import Any

import httpx
import pytest

from codegen import generate
from contract_diff.recording import load_package

DONE = {"tags": ["shop"], "responses": {"204": {"description": "Done."}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://shop.example/v1"}],
    "paths": {
        "/items": {"get": {**DONE, "operationId": "items"}},
        "/files": {
            "servers": [{"url": "https://files.example/up/"}],
            "get": {**DONE, "operationId": "files"},
            "put": {**DONE, "operationId": "plain", "servers": [{"url": "http://plain.example"}]},
            "post": {**DONE, "operationId": "beta", "servers": [{"url": "/v2"}]},
            "delete": {
                **DONE,
                "operationId": "same",
                "servers": [{"url": "https://shop.example/v1"}],
            },
        },
    },
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT), "utf-8")
    written = ["--spec", str(folder / "openapi.json"), "--output", str(folder / "shop")]
    assert generate.main(written) == 0
    return load_package(folder / "shop")


def sent(shop: Any, names: list[str], **settings: Any) -> list[str]:
    """Call operations: the URL of each request."""
    urls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(204)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http_client:
        client = shop.RestClient(**settings, http_client=http_client)
        for name in names:
            getattr(client.compat.shop, name)()
    return urls


@pytest.mark.parametrize(
    ("settings", "urls"),
    [
        (
            {},
            "https://shop.example/v1/items https://files.example/up/files "
            "https://shop.example/v2/files https://shop.example/v1/files",
        ),
        (
            {"host": "test.example"},
            "https://test.example/v1/items https://test.example/up/files "
            "https://test.example/v2/files https://test.example/v1/files",
        ),
        (
            {"host": "https://test.example/api/"},
            "https://test.example/api/items https://test.example/api/up/files "
            "https://test.example/api/v2/files https://test.example/api/files",
        ),
    ],
    ids=["document", "host", "path"],
)
def test_each_operation_goes_to_its_server_on_the_host_of_the_caller(
    shop: Any, settings: dict[str, str], urls: str
) -> None:
    assert sent(shop, ["items", "files", "beta", "same"], **settings) == urls.split()


def test_a_host_in_the_environment_is_one_that_the_caller_names(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALWIRE_SPACE", "test.example")
    assert sent(shop, ["plain"]) == ["https://test.example/files"]


def test_a_server_without_encryption_is_refused_beside_one_that_has_it(shop: Any) -> None:
    with pytest.raises(shop.InvalidRequestError, match=r"http://plain\.example is not encrypted"):
        sent(shop, ["plain"])


def test_an_error_names_the_server_of_the_operation(shop: Any) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with httpx.Client(transport=httpx.MockTransport(fail)) as http_client:
        client = shop.RestClient(http_client=http_client, max_retries=0)
        with pytest.raises(
            shop.APIConnectionError, match=r"no connection to https://files\.example/up"
        ):
            client.compat.shop.files()
