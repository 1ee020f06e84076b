"""Models in other libraries: what a program does with a number after it was bought."""

import asyncio
import copy
import datetime
import json
import pickle
from collections.abc import Callable
from typing import Annotated, Any

import attrs
import fastapi
import httpx
import jsonschema_rs
import pydantic
import pytest
from cattrs.preconf.json import make_converter
from cattrs.strategies import use_class_methods
from signalwire_compat import RestClient
from signalwire_compat.api.phone_numbers import ListPage
from signalwire_compat.models import (
    Capabilities,
    IncomingCallStatus,
    IncomingPhoneNumber,
    PurchaseRequest,
)
from starlette.responses import JSONResponse

from tests.client.conftest import NUMBER, buy
from tests.conftest import page_reply

CATTRS = make_converter()
use_class_methods(CATTRS, "from_dict", "to_dict")
# How a library writes a model, and how it reads what was written.
LIBRARIES: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "json": (lambda m: json.dumps(m.to_dict()), lambda kind, it: kind.from_dict(json.loads(it))),
    "dict": (dict, lambda kind, it: kind.from_dict(it)),
    "pydantic, JSON": (
        lambda m: pydantic.TypeAdapter(type(m)).dump_json(m),
        lambda kind, it: pydantic.TypeAdapter(kind).validate_json(it),
    ),
    "pydantic, Python": (
        lambda m: pydantic.TypeAdapter(type(m)).dump_python(m),
        lambda kind, it: pydantic.TypeAdapter(kind).validate_python(it),
    ),
    "cattrs": (CATTRS.unstructure, lambda kind, it: CATTRS.structure(it, kind)),
    "cattrs, JSON": (CATTRS.dumps, lambda kind, it: CATTRS.loads(it, kind)),
    "attrs": (lambda m: attrs.asdict(m, recurse=False), lambda kind, it: kind(**it)),
    "pickle": (pickle.dumps, lambda _, it: pickle.loads(it)),  # noqa: S301  # our own
    "pickle 0": (lambda m: pickle.dumps(m, 0), lambda _, it: pickle.loads(it)),  # noqa: S301
    "pickle 1": (lambda m: pickle.dumps(m, 1), lambda _, it: pickle.loads(it)),  # noqa: S301
    "copy": (copy.copy, lambda _, it: it),
    "deepcopy": (copy.deepcopy, lambda _, it: it),
}
MODELS: dict[str, Callable[[RestClient], Any]] = {
    "number": buy,
    "drifted": lambda _: IncomingPhoneNumber.from_dict(
        page_reply(origin="new", beta="?", more=[1])
    ),
    "page": lambda client: client.compat.phone_numbers.list(),
    "search": lambda client: client.compat.phone_numbers.search_local("US"),
    "request": lambda _: PurchaseRequest(phone_number=NUMBER, sms_method="GET"),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_the_same_after_a_library_wrote_and_read_it(
    library: str, name: str, client: RestClient
) -> None:
    buy(client, PhoneNumber="+15551234567")
    if (library, name) == ("dict", "page"):
        pytest.skip("a page iterates over its items")
    model = MODELS[name](client)
    write, read = LIBRARIES[library]
    again = read(type(model), write(model))
    assert type(again) is type(model)
    assert again == model
    assert again.to_dict() == model.to_dict()
    with pytest.raises(TypeError, match="unhashable"):
        hash(again)


class Order(pydantic.BaseModel):
    """A model of the caller's that holds one of ours."""

    number: IncomingPhoneNumber


def application(client: RestClient) -> fastapi.FastAPI:
    """Make an application as a user writes it: each endpoint returns what was bought."""
    app = fastapi.FastAPI()

    @app.post("/type")
    def _() -> IncomingPhoneNumber:
        return buy(client)

    @app.post("/response-model", response_model=IncomingPhoneNumber)
    def _() -> Any:
        return buy(client)

    @app.post("/without-null", response_model=IncomingPhoneNumber, response_model_exclude_none=True)
    def _() -> Any:
        return buy(client)

    @app.post("/nothing")
    def _():  # type: ignore[no-untyped-def]  # as users leave it out
        return buy(client)

    @app.post("/starlette")
    def _() -> JSONResponse:
        return JSONResponse(buy(client).to_dict())

    @app.post("/order")
    def _() -> Order:
        return Order(number=buy(client))

    @app.post("/list")
    def _() -> list[IncomingPhoneNumber]:
        return [buy(client)]

    @app.post("/page")
    def _() -> ListPage:
        buy(client)
        return client.compat.phone_numbers.list()

    @app.post("/body")
    def _(body: Annotated[PurchaseRequest, fastapi.Body()]) -> dict[str, Any]:
        return body.to_dict()

    return app


def asked(app: fastapi.FastAPI, path: str, method: str = "POST", **sent: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            return await asking.request(method, path, **sent)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("path", "place"),
    [
        *(("/type", []), ("/response-model", []), ("/nothing", []), ("/starlette", [])),
        *(("/order", ["number"]), ("/list", [0]), ("/page", ["incoming_phone_numbers", 0])),
        ("/without-null", []),
    ],
)
def test_a_web_framework_answers_with_the_number_that_it_bought(
    path: str, place: list[Any], client: RestClient
) -> None:
    reply = asked(application(client), path)
    assert reply.status_code == 200
    found = reply.json()
    for step in place:
        found = found[step]
    bought = client.compat.phone_numbers.list().incoming_phone_numbers[0].to_dict()
    if path == "/without-null":
        bought = {name: value for name, value in bought.items() if value is not None}
    assert found == bought


def test_a_web_framework_checks_and_documents_models_by_the_contract(
    client: RestClient, contract: dict[str, Any]
) -> None:
    app = application(client)
    assert asked(app, "/body", json={"PhoneNumber": NUMBER}).json() == {"PhoneNumber": NUMBER}
    refusal = asked(app, "/body", json={"PhoneNumber": "1", "SmsMethod": "PUT"})
    assert refusal.status_code == 422
    assert "PhoneNumber must be E.164" in refusal.text
    assert 'SmsMethod must be \\"GET\\" or \\"POST\\"' in refusal.text
    shown = asked(app, "/openapi.json", "GET").json()["components"]["schemas"]
    jsonschema_rs.meta.validate(shown["IncomingPhoneNumber"])
    ours, theirs = shown["IncomingPhoneNumber"], contract["components"]["schemas"]
    known = theirs["IncomingPhoneNumber"]
    assert ours["properties"].keys() == known["properties"].keys()
    assert ours["required"] == known["required"]
    assert ours["properties"]["capabilities"]["required"] == ["voice", "sms", "mms", "fax"]
    number = shown["PurchaseRequest"]["properties"]["PhoneNumber"]
    assert number == {k: theirs["PurchaseRequest"]["properties"]["PhoneNumber"][k] for k in number}
    assert number.keys() == {"type", "pattern", "minLength", "maxLength"}
    assert shown["PurchaseRequest"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (Capabilities, {"voice": True, "sms": True, "mms": True}, "fax is missing"),
        (Capabilities, ["voice"], "must be an object"),
        (PurchaseRequest, {}, "PhoneNumber is missing"),
        (PurchaseRequest, {"PhoneNumber": NUMBER, "Area": 1}, "Area is not a known field"),
    ],
)
def test_pydantic_refuses_what_is_no_such_model(kind: type, value: Any, problem: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=problem):
        pydantic.TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Tue, 25 Sept 2018 23:00:00 +0000", "2018-09-25T23:00:00+00:00"),
        ("Tue, 25 Sep 2018 23:00:00 -0230", "2018-09-25T23:00:00-02:30"),
        ("25 September 2018 23:00:00 GMT", "2018-09-25T23:00:00+00:00"),
        ("Tue, 25 Sep 2018 23:00:00", None),
        ("Tue, 99 Sep 2018 23:00:00 +0000", None),
        ("2018-09-25", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_a_date_is_read_as_the_provider_writes_it(text: Any, iso: str | None) -> None:
    number = IncomingPhoneNumber.from_dict(page_reply(date_created=text))
    read = number.date_created_datetime
    assert read == (iso and datetime.datetime.fromisoformat(iso))
    assert read is None or read.tzinfo is not None
    assert number.date_created == text
    assert number.date_updated_datetime == datetime.datetime(2018, 9, 26, 22, tzinfo=datetime.UTC)
    assert IncomingCallStatus.from_dict({"Timestamp": text}).timestamp_datetime == read
    assert IncomingCallStatus.from_dict({}).timestamp_datetime is None
