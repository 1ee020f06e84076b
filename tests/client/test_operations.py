"""What all operations have in common: arguments, accounts, None, and what a repeat does."""

import inspect
import json
from typing import Any, get_type_hints
from urllib.parse import parse_qs

import httpx
import pytest
import signalwire_compat
from signalwire_compat import InvalidRequestError, NotFoundError, RestClient
from signalwire_compat.api import phone_numbers
from signalwire_compat.api.phone_numbers import AsyncPhoneNumbers, PhoneNumbers

from codegen.document import resolved
from tests.client.conftest import Service
from tests.conftest import PROJECT, operations, page_reply

SUBPROJECT = "0d6f1c44-7e3b-4c7e-9d55-3a4f8f0f6a10"
SID = "PN0a1b2c"
NUMBER = "+13103386745"
# For each operation, the arguments that it can't do without.
REQUIRED: dict[str, dict[str, str]] = {
    "list": {},
    "purchase": {"PhoneNumber": NUMBER},
    "get": {"Sid": SID},
    "update": {"Sid": SID},
    "delete": {"Sid": SID},
    "import_number": {"number": NUMBER, "number_type": "longcode"},
    "list_available_countries": {},
    "search_local": {"IsoCountry": "US"},
    "search_toll_free": {"IsoCountry": "US"},
}
OPERATIONS = pytest.mark.parametrize("name", REQUIRED)
LISTS = ("incoming_phone_numbers", "countries", "available_phone_numbers")
REPLY = {**page_reply(sid=SID), **{name: [] for name in LISTS}}


@pytest.fixture
def service() -> Service:
    return Service(httpx.Response(200, json=REPLY))


def call(client: RestClient, name: str, **arguments: Any) -> Any:
    return getattr(client.compat.phone_numbers, name)(**{**REQUIRED[name], **arguments})


def sent(service: Service) -> tuple[str, str, bytes]:
    """Give method, path with query, and body of the last request."""
    request = service.requests[-1]
    path = request.url.raw_path.decode().removeprefix("/api/laml/2010-04-01")
    return request.method, path, request.content


def parameters(name: str) -> list[inspect.Parameter]:
    _, *found = inspect.signature(getattr(PhoneNumbers, name)).parameters.values()
    return found


def test_the_table_has_every_operation_of_the_tag(contract: dict[str, Any]) -> None:
    assert [*REQUIRED] == operations(contract)


@OPERATIONS
def test_path_parameters_but_the_account_are_positional_and_all_others_are_keywords(
    contract: dict[str, Any], service: Service, name: str
) -> None:
    (path,) = (
        path
        for path, item in contract["paths"].items()
        if name in [operation["operationId"] for operation in item.values()]
    )
    positional = [p.name for p in parameters(name) if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == [
        part.strip("{}") for part in path.split("/") if "{" in part and part != "{AccountSid}"
    ]
    required = dict(REQUIRED[name])
    in_order = [required.pop(key) for key in positional]
    getattr(service.client().compat.phone_numbers, name)(*in_order, **required)
    by_position = sent(service)
    call(service.client(), name)
    assert sent(service) == by_position
    with pytest.raises(TypeError, match="positional argument"):
        getattr(service.client().compat.phone_numbers, name)(*in_order, "more", **required)


@pytest.mark.parametrize("sid", ["PN-1", "b3877c40-da60-4998-90ad-b792e98472pn", "a b?c#d%2f", "é"])
def test_any_sid_of_a_reply_is_accepted_where_it_is_given_back(sid: str) -> None:
    service = Service(httpx.Response(200, json=page_reply(sid=sid)))
    numbers = service.client().compat.phone_numbers
    assert numbers.get(sid).sid == numbers.update(sid, FriendlyName="a").sid == sid
    assert {request.url.path.rpartition("/")[2] for request in service.requests} == {sid}


@pytest.mark.parametrize("sid", ["", "a/b", "..", None, 7])
def test_a_sid_that_would_change_the_path_is_not_sent(service: Service, sid: Any) -> None:
    numbers = service.client().compat.phone_numbers
    for method in (numbers.get, numbers.update, numbers.delete):
        with pytest.raises(InvalidRequestError, match=r"^Sid "):
            method(sid)
    assert service.requests == []


@pytest.mark.parametrize("country", ["", ".", ".."])
def test_the_error_about_a_country_that_no_path_can_hold_names_the_call(
    service: Service, country: str
) -> None:
    with pytest.raises(InvalidRequestError, match=r"^IsoCountry ") as raised:
        service.client().compat.phone_numbers.search_local(country, AreaCode="206")
    arguments = {"AccountSid": PROJECT, "IsoCountry": country, "AreaCode": "206"}
    assert (raised.value.operation, raised.value.arguments) == (
        "phone_numbers.search_local",
        arguments,
    )
    assert service.requests == []


@OPERATIONS
def test_the_account_of_a_call_is_that_of_the_client_or_the_one_that_is_named(
    service: Service, name: str
) -> None:
    client = service.client()
    sub = client.with_account(SUBPROJECT)
    assert (client.account, client.project) == (PROJECT, PROJECT)
    assert (sub.account, sub.project) == (SUBPROJECT, PROJECT)
    own = f"/Accounts/{PROJECT}/"
    for who, arguments, account in (
        (client, {}, PROJECT),
        (sub, {}, SUBPROJECT),
        (client.with_account(SUBPROJECT).with_timeout(5), {}, SUBPROJECT),
        (client, {"AccountSid": None}, PROJECT),
        (client, {"AccountSid": SUBPROJECT}, PROJECT if name == "update" else SUBPROJECT),
        (sub, {"AccountSid": PROJECT}, SUBPROJECT if name == "update" else PROJECT),
    ):
        call(who, name, **arguments)
        assert sent(service)[1].startswith(own.replace(PROJECT, account))
        authorization = service.requests[-1].headers["authorization"]
        assert authorization == service.requests[0].headers["authorization"]


def test_the_account_of_an_update_is_the_one_that_the_number_moves_to(service: Service) -> None:
    client = service.client()
    client.compat.phone_numbers.update(SID, AccountSid=SUBPROJECT, VoiceUrl="https://x.example")
    method, path, body = sent(service)
    assert (method, path) == ("POST", f"/Accounts/{PROJECT}/IncomingPhoneNumbers/{SID}")
    assert parse_qs(body.decode()) == {
        "AccountSid": [SUBPROJECT],
        "VoiceUrl": ["https://x.example"],
    }
    assert "transfers the number" in str(PhoneNumbers.update.__doc__)
    client.compat.phone_numbers.update(SID, VoiceUrl="https://x.example")
    assert b"AccountSid" not in sent(service)[2]


def test_an_account_that_is_no_uuid_is_refused_in_a_call(service: Service) -> None:
    client = service.client().with_account("me")
    with pytest.raises(InvalidRequestError, match=r'^AccountSid must be a UUID, got "me"'):
        client.compat.phone_numbers.list()
    assert service.requests == []


@OPERATIONS
def test_an_optional_argument_that_is_none_is_left_out(service: Service, name: str) -> None:
    client = service.client()
    call(client, name)
    without = sent(service)
    optional = [p.name for p in parameters(name) if p.default is not p.empty]
    assert "AccountSid" in optional
    call(client, name, **dict.fromkeys(optional))
    assert sent(service) == without


@OPERATIONS
def test_a_required_argument_that_is_none_is_refused(service: Service, name: str) -> None:
    for required in REQUIRED[name]:
        with pytest.raises(InvalidRequestError, match=f"^{required} .*got None"):
            call(service.client(), name, **{required: None})
    assert service.requests == []


@OPERATIONS
@pytest.mark.parametrize("kind", [PhoneNumbers, AsyncPhoneNumbers])
def test_the_docstring_of_a_method_has_arguments_defaults_errors_and_source(
    contract: dict[str, Any], kind: Any, name: str
) -> None:
    document = (getattr(kind, name).__doc__ or "").split()
    (operation,) = (
        o for path in contract["paths"].values() for o in path.values() if o["operationId"] == name
    )
    found = {p["name"]: p for p in (resolved(contract, p) for p in operation["parameters"])}
    for media in resolved(contract, operation.get("requestBody", {})).get("content", {}).values():
        found |= resolved(contract, media["schema"])["properties"]
    wanted = [operation["summary"], operation["description"], "Raises:", "InvalidRequestError:"]
    for argument in (argument.name for argument in parameters(name)):
        about = found[argument]
        wanted.append(f"{argument}: {about['description']}")
        default = about.get("default", about.get("schema", {}).get("default"))
        wanted += [] if default is None else [f"{about['description']} Default: `{default}`."]
    for status, reply in operation["responses"].items():
        if not status.startswith("2"):
            wanted.append(f"{status}: {resolved(contract, reply)['description']}")
    wanted.append(f"Source: {operation['externalDocs']['url']}")
    assert [each for each in wanted if " ".join(each.split()) not in " ".join(document)] == []
    assert ("all pages after it" in " ".join(document)) is ("x-pages" in operation)
    assert ("see `client.look_up`" in " ".join(document)) is ("x-look-up" in str(operation))


@OPERATIONS
def test_the_options_of_an_operation_are_its_optional_arguments(
    service: Service, name: str
) -> None:
    words = "".join(word.capitalize() for word in name.split("_"))
    options = getattr(phone_numbers, f"{words}Options")
    optional = {p.name for p in parameters(name) if p.default is not p.empty}
    assert options.__optional_keys__ == optional
    assert not options.__required_keys__
    hints, taken = get_type_hints(options), get_type_hints(getattr(PhoneNumbers, name))
    for key in optional:
        assert hints[key] | signalwire_compat.Unset == taken[key]
    call(service.client(), name, **options(AccountSid=SUBPROJECT))
    assert len(service.requests) == 1


def test_numbers_and_truth_values_are_written_as_the_pages_do(service: Service) -> None:
    numbers = service.client().compat.phone_numbers
    numbers.search_local("US", Beta=True, VoiceEnabled=False, AreaCode="512")
    path = f"/Accounts/{PROJECT}/AvailablePhoneNumbers/US/Local"
    assert sent(service)[1] == f"{path}?AreaCode=512&Beta=true&VoiceEnabled=false"
    numbers.list(Page=0, PageSize=20, PhoneNumber="+1512")
    assert sent(service)[1].partition("?")[2] == "Page=0&PageSize=20&PhoneNumber=%2B1512"
    numbers.import_number(number=NUMBER, number_type="longcode", capabilities=["sms", "fax"])
    body = sent(service)[2]
    assert body.endswith(b"&number_type=longcode&capabilities=sms&capabilities=fax")


def test_the_capitals_of_the_capabilities_for_sale_are_kept() -> None:
    for_sale = {"phone_number": NUMBER, "capabilities": {"voice": True, "SMS": False, "MMS": True}}
    found = Service(httpx.Response(200, json={"available_phone_numbers": [for_sale]}))
    (number,) = found.client().compat.phone_numbers.search_local("US").available_phone_numbers
    capabilities = number.capabilities
    assert (capabilities.voice, capabilities.sms, capabilities.mms) == (True, False, True)
    assert capabilities.to_dict() == for_sale["capabilities"]


def test_a_release_returns_none_for_a_204_without_a_body() -> None:
    service = Service(httpx.Response(204))
    assert call(service.client(), "delete") is None
    assert sent(service) == ("DELETE", f"/Accounts/{PROJECT}/IncomingPhoneNumbers/{SID}", b"")


MISSING = httpx.Response(404, json={"code": 20404, "message": "none", "status": 404})


@pytest.mark.usefixtures("waits")
def test_a_release_that_was_repeated_after_a_lost_reply_says_what_a_404_means() -> None:
    service = Service(httpx.ReadError("lost"), MISSING)
    with pytest.raises(NotFoundError) as caught:
        service.client().compat.phone_numbers.delete(SID)
    assert [request.method for request in service.requests] == ["DELETE", "DELETE"]
    assert caught.value.outcome_unknown
    assert "an earlier attempt, whose reply was lost, has probably removed it" in str(caught.value)
    first = Service(MISSING)
    with pytest.raises(NotFoundError) as caught:
        first.client().compat.phone_numbers.delete(SID)
    assert not caught.value.outcome_unknown
    assert caught.value.advice == "Check the SID, AccountSid and host, then call again."


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("name", ["purchase", "update", "import_number"])
def test_a_post_whose_reply_was_lost_is_not_repeated(name: str) -> None:
    service = Service(httpx.ReadError("lost"), httpx.Response(200, json=REPLY))
    with pytest.raises(signalwire_compat.APIConnectionError) as caught:
        call(service.client(), name)
    assert caught.value.outcome_unknown
    assert len(service.requests) == 1


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    "name", ["list", "get", "list_available_countries", "search_local", "search_toll_free"]
)
def test_a_question_whose_reply_was_lost_is_asked_again(name: str) -> None:
    service = Service(httpx.ReadError("lost"), httpx.Response(200, json=REPLY))
    assert call(service.client(), name) is not None
    assert len(service.requests) == 2
    service = Service(httpx.ReadError("lost"))
    with pytest.raises(signalwire_compat.APIConnectionError) as caught:
        call(service.client(max_retries=0), name)
    assert not caught.value.outcome_unknown
    assert caught.value.advice == "It changes nothing, so it is safe to call again."


def test_an_import_on_a_space_that_may_not_has_a_code_that_is_text() -> None:
    error = {"code": "10001", "message": "not enabled"}
    service = Service(httpx.Response(422, content=json.dumps(error)))
    with pytest.raises(signalwire_compat.UnprocessableEntityError) as caught:
        call(service.client(), "import_number")
    assert (caught.value.code, caught.value.category) == (10001, "limit")
