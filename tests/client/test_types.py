"""Annotations can be read at run time, by other libraries too, and completion shows the API."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, Literal, get_args, get_type_hints

import attrs
import cattrs
import pydantic
import pytest
import signalwire_compat
import typer
from signalwire_compat import UNSET, AsyncRestClient, InvalidRequestError, RestClient, Unset
from signalwire_compat.api.phone_numbers import AsyncListPage, ListPage, PhoneNumbers
from signalwire_compat.models import (
    Capability,
    HttpMethod,
    IncomingPhoneNumber,
    PurchaseRequest,
)
from signalwire_compat_mock import MockServer
from typer.testing import CliRunner

from tests.client.conftest import NUMBER
from tests.conftest import PROJECT, operations, page_reply


def public_parts(package: ModuleType) -> Iterator[Any]:
    """Give the clients, the methods of tags, the operations, and the models with their methods."""
    parts: list[Any] = [package.RestClient, package.AsyncRestClient]
    for folder in (package.api, package.models):
        for found in walk_packages(folder.__path__, f"{folder.__name__}."):
            named = vars(import_module(found.name)).values()
            parts += [part for part in named if getattr(part, "__module__", "") == found.name]
    for part in parts:
        yield part
        for name, method in inspect.getmembers(part, inspect.isfunction):
            # attrs writes it with the names that were known before the class was.
            if not (attrs.has(part) and name == "__init__"):
                yield method


@pytest.mark.parametrize("of", ["the contract", "another document"])
def test_the_annotations_of_everything_public_can_be_resolved(of: str, verbs: ModuleType) -> None:
    package = signalwire_compat if of == "the contract" else verbs
    hints = {part: get_type_hints(part) for part in public_parts(package)}
    assert {package.models.Capabilities, package.RestClient.with_headers} < hints.keys()
    for client in (package.RestClient, package.AsyncRestClient):
        assert hints[client.__init__]["timeout"] == float | None


def test_annotations_resolve_to_the_types_of_the_contract() -> None:
    purchase = get_type_hints(PhoneNumbers.purchase)
    assert purchase["PhoneNumber"] is str
    assert purchase["SmsMethod"] == Literal["GET", "POST"] | Unset | None
    assert purchase["return"] is IncomingPhoneNumber
    # A method is named `list`, too.
    imported = get_type_hints(PhoneNumbers.import_number)
    assert imported["capabilities"] == list[Capability] | Unset | None
    assert get_type_hints(PhoneNumbers.delete)["return"] is type(None)
    attrs.resolve_types(IncomingPhoneNumber)
    assert attrs.fields_dict(IncomingPhoneNumber)["beta"].type is bool


def test_cattrs_takes_a_number_apart_and_puts_it_together() -> None:
    number = IncomingPhoneNumber.from_dict(page_reply(new=1))
    converter = cattrs.Converter()
    # These unions hold JSON values: cattrs asks which part a value belongs to.
    converter.register_structure_hook_func(
        lambda kind: bool({str, Unset} & {*get_args(kind)}), lambda value, _: value
    )
    apart = converter.unstructure(number)
    assert apart["phone_number"] == number.phone_number
    assert apart["capabilities"]["sms"] is True
    assert converter.structure(apart, IncomingPhoneNumber) == number
    request = converter.structure({"phone_number": NUMBER, "sms_method": "GET"}, PurchaseRequest)
    assert request == PurchaseRequest(phone_number=NUMBER, sms_method="GET")
    assert request.voice_url is UNSET
    with pytest.raises(cattrs.ClassValidationError) as caught:
        converter.structure({"phone_number": "1"}, PurchaseRequest)
    assert isinstance(caught.value.exceptions[0], InvalidRequestError)


def test_pydantic_validates_the_arguments_of_a_purchase(
    mock: MockServer, client: RestClient
) -> None:
    validated = pydantic.validate_call(config={"arbitrary_types_allowed": True})
    purchase: Any = validated(client.compat.phone_numbers.purchase)
    assert purchase(PhoneNumber=NUMBER, SmsMethod="GET").sms_method == "GET"
    with pytest.raises(pydantic.ValidationError, match=r"(?s)PhoneNumber.*SmsMethod"):
        purchase(PhoneNumber=5, SmsMethod="PUT")
    assert len(mock.journal) == 1


def test_typer_makes_commands_of_annotations_and_methods_of_the_package(
    mock: MockServer, client: RestClient
) -> None:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    def buy(number: str, sms_method: HttpMethod = "POST") -> None:
        purchase = client.compat.phone_numbers.purchase
        typer.echo(purchase(PhoneNumber=number, SmsMethod=sms_method).sms_method)

    app.command()(client.with_max_retries)
    run = CliRunner().invoke
    assert run(app, ["buy", NUMBER, "--sms-method", "GET"]).output == "GET\n"
    assert (
        "'PUT' is not one of 'GET', 'POST'" in run(app, ["buy", "1", "--sms-method", "PUT"]).output
    )
    assert run(app, ["with-max-retries", "3"]).exit_code == 0
    assert "'x' is not a valid int" in run(app, ["with-max-retries", "x"]).output
    assert len(mock.journal) == 1


@pytest.mark.parametrize(("kind", "close"), [(RestClient, "close"), (AsyncRestClient, "aclose")])
def test_completion_shows_the_public_names_and_nothing_else(
    contract: dict[str, Any], kind: Any, close: str
) -> None:
    assert dir(signalwire_compat) == sorted({*signalwire_compat.__all__, "api", "models", "types"})
    client = kind(PROJECT, "token", "localhost")
    settings = {"project", "account", "base_url", "timeout", "max_retries", "look_up_timeout"}
    copies = {"with_account", "with_headers", "with_max_retries", "with_timeout"}
    assert public(client) == {"compat", "look_up", "max_reply_bytes", close, *settings, *copies}
    assert public(client.compat) == {*dir(signalwire_compat.api)} >= {"phone_numbers"}
    assert public(client.compat.phone_numbers) == {*operations(contract)}


def test_completion_shows_the_members_of_a_page_and_the_way_to_the_next(
    contract: dict[str, Any],
) -> None:
    members = contract["components"]["schemas"]["IncomingPhoneNumberPage"]["properties"]
    for kind in (ListPage, AsyncListPage):
        assert public(kind) == {
            *members,
            "additional_properties",
            "next_page",
            "from_dict",
            "to_dict",
        }


def public(part: object) -> set[str]:
    return {name for name in dir(part) if not name.startswith("_")}
