"""Schemathesis at both ends of the contract, for every operation and without naming any."""

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints
from urllib.parse import parse_qsl, unquote

import pytest
import schemathesis
from conftest import PROJECT, ROOT
from hypothesis import HealthCheck, assume, settings
from openapi_python_client.strings import PythonIdentifier
from schemathesis import Case, GenerationMode
from schemathesis.core import NotSet
from signalwire_compat import RestClient, SignalWireError
from signalwire_compat_mock import DEFAULT_TOKEN, Exchange, MockServer

AnyCase = Case[Any]
BASE_PATH = "/api/laml/2010-04-01"
BOUNDS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def load(*modes: GenerationMode) -> schemathesis.BaseSchema:
    schema = schemathesis.openapi.from_path(ROOT / "openapi.yaml")
    schema.config.generation.update(modes=list(modes), with_security_parameters=False)
    return schema


everything = load(GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
valid = load(GenerationMode.POSITIVE)
invalid = load(GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as mock:
        yield mock


@pytest.fixture(scope="module")
def rest_client(server: MockServer) -> Iterator[RestClient]:
    with RestClient(PROJECT, DEFAULT_TOKEN, server.url) as client:
        yield client


@everything.parametrize()
@BOUNDS
def test_the_mock_keeps_to_the_contract_in_every_check(case: AnyCase, server: MockServer) -> None:
    server.reset()
    case.call_and_validate(base_url=server.url + BASE_PATH, auth=(PROJECT, DEFAULT_TOKEN))


def parameters(case: AnyCase) -> dict[str, Any]:
    headers = {name: value for name, value in case.headers.items() if name in declared(case)}
    return spelled({**case.path_parameters, **case.query, **headers, **case.cookies})


def arguments(case: AnyCase) -> dict[str, Any]:
    """List what a caller passes to the operation of the facade for this case."""
    return parameters(case) | (spelled(case.body) if isinstance(case.body, dict) else {})


def spelled(members: dict[str, Any]) -> dict[str, Any]:
    return {PythonIdentifier(name, "field_", True): value for name, value in members.items()}


def declared(case: AnyCase) -> set[str]:
    return {parameter.name for parameter in case.operation.headers}


def through_the_client(case: AnyCase, client: RestClient) -> Any:
    operation = case.operation.definition.raw
    namespace = getattr(client.compat, PythonIdentifier(operation["tags"][0], "tag"))
    method = getattr(namespace, PythonIdentifier(operation["operationId"], "field_"))
    hint = get_type_hints(method).get("body")
    if hint is None or isinstance(case.body, NotSet):
        return method(**arguments(case))
    models = [kind for kind in (hint, *get_args(hint)) if hasattr(kind, "from_dict")]
    body = models[0].from_dict(case.body) if models and isinstance(case.body, dict) else case.body
    return method(**parameters(case), body=body)


def as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def assert_meant(case: AnyCase, exchange: Exchange) -> None:
    """Check that the request is what the case means: all values in their places, no more."""
    path = case.operation.path.format(**{k: as_text(v) for k, v in case.path_parameters.items()})
    assert exchange.method == case.method.upper()
    assert unquote(exchange.path) == BASE_PATH + path
    values = {k: v if isinstance(v, list) else [v] for k, v in case.query.items()}
    assert sorted(parse_qsl(exchange.query, keep_blank_values=True)) == sorted(
        (name, as_text(item)) for name, items in values.items() for item in items
    )
    if exchange.form is not None:
        assert isinstance(case.body, dict)
        assert sorted(exchange.form) == sorted((k, as_text(v)) for k, v in case.body.items())
    elif exchange.json is not None:
        assert exchange.json == case.body
    else:
        assert exchange.body == b""


@valid.parametrize()
@BOUNDS
def test_a_valid_case_reaches_the_server_as_it_was_meant(
    case: AnyCase, server: MockServer, rest_client: RestClient
) -> None:
    server.reset()
    result = through_the_client(case, rest_client)
    (exchange,) = server.journal
    assert 200 <= exchange.status < 300, exchange.refusal
    assert_meant(case, exchange)
    if isinstance(result, str | bytes):
        assert (result.encode() if isinstance(result, str) else result) == exchange.reply_body
        return
    said = json.loads(exchange.reply_body) if exchange.reply_body else None
    assert (result.to_dict() if hasattr(result, "to_dict") else result) == said


def is_valid(case: AnyCase) -> bool:
    """Tell the examples of the spec, which come with every mode, from invalid cases."""
    return case.meta is not None and case.meta.generation.mode.is_positive


@invalid.parametrize()
@BOUNDS
def test_an_invalid_case_is_refused_with_an_exception_of_ours(
    case: AnyCase, server: MockServer, rest_client: RestClient
) -> None:
    # A caller of the facade can't choose another method.
    assume(case.method.upper() == case.operation.method.upper())
    server.reset()
    try:
        through_the_client(case, rest_client)
    except SignalWireError:
        assert all(400 <= exchange.status < 500 for exchange in server.journal)
    except TypeError:
        # Python itself refuses a keyword that is missing or unknown, as type checkers do.
        assert server.journal == []
    else:
        (exchange,) = server.journal
        assert exchange.status < 300
        assert_meant(case, exchange)
        # On the wire a form is text: a number where text belongs has become valid.
        given = arguments(case)
        assert is_valid(case) or not given or any(not isinstance(v, str) for v in given.values())
