"""The credentials that a document asks for: what callers give, and what is on the wire."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire_compat_mock import MockServer

from codegen import generate
from contract_diff.recording import load_package
from scripts import try_document
from tests.edits.credentials import ROWS, SCHEMES, TOKEN, Row, document, needs

WRONG = "a-key-that-opens-nothing"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(document(*ROWS)), "utf-8")
    assert generate.main(["--spec", str(spec), "--output", str(folder / "shop")]) == 0
    return folder / "shop"


@pytest.fixture(scope="module")
def shop(package: Path) -> Any:
    return load_package(package)


@pytest.fixture
def mock(package: Path) -> Iterator[MockServer]:
    with MockServer(package.parent / "openapi.json") as server:
        yield server


def call(shop: Any, url: str, name: str, given: dict[str, str], **arguments: str) -> None:
    """Call an operation, sync and async."""

    async def wait() -> None:
        async with shop.AsyncRestClient(host=url, **given) as client:
            await getattr(client.compat.shop, name)(**arguments)

    with shop.RestClient(host=url, **given) as client:
        getattr(client.compat.shop, name)(**arguments)
    asyncio.run(wait())


@pytest.mark.parametrize("way", ["arguments", "environment"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_credentials_are_sent_as_the_document_says(
    shop: Any, mock: MockServer, monkeypatch: pytest.MonkeyPatch, row: Row, way: str
) -> None:
    given = row.given
    if way == "environment":
        for name, value in given.items():
            variable = f"SIGNALWIRE_{name.rstrip('_').upper()}"
            monkeypatch.setenv("SHOP_KEY" if name == "shop_key" else variable, value)
        given = {}
    call(shop, mock.url, row.name, given)
    for exchange in mock.journal:
        sent = [f"{name}: {value}" for name, value in exchange.headers]
        places = {"authorization", "cookie", "x-key", "x-named", "x-timeout"}
        found = [line for line in sent if line.partition(":")[0] in places]
        found += [f"?{exchange.query}"] if exchange.query else []
        assert (exchange.status, "\n".join(found)) == (200, row.sent)


@pytest.mark.parametrize("row", [row for row in ROWS if row.missing], ids=lambda row: row.name)
def test_a_call_without_its_credentials_is_refused_and_not_sent(
    shop: Any, mock: MockServer, row: Row
) -> None:
    with pytest.raises(shop.InvalidRequestError) as caught:
        call(shop, mock.url, row.name, {})
    assert f"the client has no credentials for it: make one with {row.missing}" in str(caught.value)
    assert mock.journal == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.sent], ids=lambda row: row.name)
def test_the_mock_refuses_wrong_credentials_and_nothing_shows_them(
    shop: Any, mock: MockServer, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = {name: WRONG if value == TOKEN else value for name, value in row.given.items()}
    with shop.RestClient(host=mock.url, **given) as client:
        if row.name.startswith("optional"):  # It is anonymous as well.
            getattr(client.compat.shop, row.name)()
        else:
            body = f'{{"message": "not {WRONG}"}}'
            mock.inject(headers={"x-request-id": "1"}, body=body, carried_out=True)
            with pytest.raises(shop.AuthenticationError) as caught:
                getattr(client.compat.shop, row.name)()
            assert WRONG not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
        logged = [each.getMessage() for each in caplog.records if "uvicorn" not in each.name]
        assert WRONG not in f"{client!r} {vars(client)} {logged}"
    (exchange,) = httpx.get(f"{mock.url}/journal").json()
    assert WRONG not in str(exchange["headers"]) + exchange["query"]


def test_no_transport_or_hook_shows_a_key_in_the_query(shop: Any) -> None:
    seen: list[str] = []

    def fail(request: httpx.Request) -> httpx.Response:
        assert request.url.params["api key"] == WRONG
        seen.append(f"{request!r} {request.url} {request.url!r}")
        raise httpx.ReadError("broken", request=request)

    with httpx.Client(transport=httpx.MockTransport(fail)) as http_client:
        client = shop.RestClient(host="localhost", query_key=WRONG, http_client=http_client)
        with pytest.raises(shop.APIConnectionError) as caught:
            client.compat.shop.query()
    assert "[secret]" in seen[0]
    assert WRONG not in f"{seen} {caught.value!r} {vars(caught.value)} {caught.value.__cause__!r}"


ODD = "holds a line break or a character that can't be sent: copy it again."


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"bearer": "Bearer x"}, f"bearer {ODD}"),
        ({"header_key": "\u00fc"}, f"header_key {ODD}"),
        ({"query_key": "a\nb"}, f"query_key {ODD}"),
        ({"query_key": ""}, "query_key is missing: pass query_key= to the client, or set"),
        ({"query_key": 5}, "query_key must be text, got int."),
        ({"login_username": "ann"}, "login_password is missing: pass login_password="),
        ({"login_username": "a:b", "login_password": TOKEN}, "login_username can't hold a colon"),
        ({"bearer": "x", "headers": {"X-Key": "y"}}, "the header x-key is set by the client"),
    ],
)
def test_credentials_that_can_not_be_sent_are_refused(
    shop: Any, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(shop.InvalidRequestError) as caught:
        shop.RestClient(host="localhost", **given)
    assert problem in str(caught.value)


def test_a_parameter_with_the_name_of_a_key_need_not_be_given(shop: Any, mock: MockServer) -> None:
    call(shop, mock.url, "root", {"header_key": TOKEN})
    assert [exchange.status for exchange in mock.journal] == [200, 200]
    with pytest.raises(shop.AuthenticationError):
        call(shop, mock.url, "root", {"header_key": TOKEN}, XKey=WRONG)


def test_what_every_operation_needs_must_be_given_to_the_client(tmp_path: Path) -> None:
    whole = document(ROWS[0], security=[needs("Login")])
    del whole["paths"]["/open"]
    (tmp_path / "openapi.json").write_text(json.dumps(whole), "utf-8")
    written = ["--spec", str(tmp_path / "openapi.json"), "--output", str(tmp_path / "shop")]
    assert generate.main(written) == 0
    shop = load_package(tmp_path / "shop")
    with pytest.raises(shop.InvalidRequestError) as caught:
        shop.RestClient(host="localhost")
    assert len(caught.value.problems) == 2
    client = shop.RestClient("ann", TOKEN, "localhost")
    client.close()
    assert repr(client).startswith("RestClient(login_username='ann', host=")
    assert client.login_username == "ann"


def test_such_a_package_is_strictly_typed_and_tried(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package.parent / "calls.py").write_text(
        "from typing import assert_type\nfrom shop import RestClient\n\n"
        'client = RestClient("ann", "x", "localhost", bearer="a", cookie_key=None)\n'
        "assert_type(client.login_username, str)\n"
        "RestClient(bearer=5)  # type: ignore[arg-type]\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={package.parent}/c"]
    done = subprocess.run(
        [*command, "shop", "calls.py"],
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert try_document.main([str(package.parent / "openapi.json")]) == 0
    count = len(ROWS) + 2
    assert f"{count} of {count} operations work" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"security": [needs("Digest")]},
            'security[0].Digest: "Digest" is not HTTP Basic, a bearer',
        ),
        ({"security": [needs("Nobody")]}, '"Nobody" is not a security scheme'),
        ({"security": [needs("Login", "Bearer")]}, '"Bearer" writes the header authorization, as'),
    ],
)
def test_credentials_that_the_client_does_not_have_are_refused_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    whole = document()
    whole["paths"]["/open"]["get"] |= change
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(whole, indent=1), "utf-8")
    assert generate.main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err


def test_two_credentials_of_one_name_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = document(ROWS[1])
    key = {"type": "apiKey", "in": "header", "name": "X", "x-fern-header": {"name": "bearer"}}
    whole["components"]["securitySchemes"] = {**SCHEMES, "HeaderKey": key}
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(whole, indent=1), "utf-8")
    assert generate.main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 1
    assert "has the argument bearer=, like Bearer: rename one" in capsys.readouterr().err
