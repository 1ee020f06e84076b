"""The ways a caller has to send a case: the facade and the detailed layer, sync and async."""

import asyncio
import datetime
import functools
import importlib
import inspect
import logging
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, get_args, get_type_hints

import signalwire_compat
from attrs import fields
from hypothesis import reject
from hypothesis.errors import UnsatisfiedAssumption
from openapi_python_client.strings import PythonIdentifier
from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary
from signalwire_compat import AsyncRestClient, RestClient, models
from signalwire_compat.types import File

from .document import (
    AnyCase,
    body_schema,
    contents,
    has_json,
    has_unnamed_members,
    lacks_body,
    named_members,
    parameters,
)

FACADE = ("sync", "async")
DETAILED = ("sync_detailed", "async_detailed")
LOG = logging.getLogger("signalwire_compat")


def ways(case: AnyCase) -> tuple[str, str]:
    """Choose the layer by the slice of the budget: the facade for one half, detailed for another.

    Each case goes both ways of its layer. The choice must not change while a case is shrunk.
    """
    return DETAILED if case.operation.schema.config.seed % 2 else FACADE


class NoSuchArgumentError(Exception):
    """Python itself refuses the call: an argument is missing or unknown, as type checkers say."""


@dataclass(frozen=True)
class Outcome:
    """What a caller got: a value or the exception that was raised, and warnings in the log."""

    value: Any = None
    error: Exception | None = None
    warnings: tuple[str, ...] = ()


class Log(logging.Handler):
    """What the client logs, from warnings on."""

    def __init__(self) -> None:
        """Begin to listen."""
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        LOG.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a line."""
        self.lines.append(record.getMessage())

    def close(self) -> None:
        """Listen no more."""
        LOG.removeHandler(self)
        super().close()


class Caller:
    """Both clients, the loop of the async one, and a reader of their log."""

    def __init__(self, project: str, token: str, url: str, *, max_retries: int = 2) -> None:
        """Connect both to the same server."""
        self.project = project
        self._client = RestClient(project, token, url, max_retries=max_retries)
        self._loop = asyncio.new_event_loop()
        self._async_client = AsyncRestClient(project, token, url, max_retries=max_retries)
        self._log = Log()

    def close(self) -> None:
        """Close the connections."""
        self._log.close()
        self._client.close()
        self._loop.run_until_complete(self._async_client.aclose())
        self._loop.close()

    def call(self, way: str, case: AnyCase) -> Outcome:
        """Send a case. Never raises what the client raises: that is an outcome too."""
        self._log.lines.clear()
        try:
            value = self._send(way, case)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            return Outcome(error=error, warnings=tuple(self._log.lines))
        return Outcome(value, warnings=tuple(self._log.lines))

    def _send(self, way: str, case: AnyCase) -> Any:
        client = self._async_client if way.startswith("async") else self._client
        if way.endswith("detailed"):
            prefix = "asyncio" if way.startswith("async") else "sync"
            function = getattr(_module(case), f"{prefix}_detailed")
            arguments = {**_spelled(parameters(case), snake=True), "client": client}
        else:
            function = _facade(client, case)
            arguments = self._without_own_project(function, _spelled(parameters(case)))
        arguments = _with_models(function, arguments) | _body(function, case)
        _check_arguments(function, arguments)
        if (
            lacks_body(case)
            and "body" not in arguments
            and "body" not in _signature(function).parameters
        ):
            reject()  # Who gives no member of a body gives an empty one.
        sent = function(**arguments)
        result = self._loop.run_until_complete(sent) if way.startswith("async") else sent
        body: Any = arguments.get("body")
        if hasattr(body, "to_dict"):
            written = body.to_dict()
            assert type(body).from_dict(written).to_dict() == written, "it is another, read back"
        return result

    def _without_own_project(
        self, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> dict[str, Any]:
        """Leave out what the client fills in by itself, as its callers do."""
        known = _signature(_plain(function)).parameters
        return {
            name: value
            for name, value in arguments.items()
            if value != self.project
            or name not in known
            or known[name].default is inspect.Parameter.empty
        }


@functools.cache
def python_name(name: str, *, snake: bool = True) -> str:
    """Name in Python what the contract calls `name`."""
    return PythonIdentifier(name, "field_", not snake)


def _facade(client: RestClient | AsyncRestClient, case: AnyCase) -> Callable[..., Any]:
    operation = case.operation.definition.raw
    namespace = getattr(client.compat, python_name(operation["tags"][0]))
    method: Callable[..., Any] = getattr(namespace, python_name(operation["operationId"]))
    return method


def _module(case: AnyCase) -> Any:
    operation = case.operation.definition.raw
    tag = python_name(operation["tags"][0])
    name = python_name(operation["operationId"])
    return importlib.import_module(f"signalwire_compat.api.{tag}.{name}")


def _spelled(members: Mapping[str, Any], *, snake: bool = False) -> dict[str, Any]:
    return {python_name(name, snake=snake): value for name, value in members.items()}


def _body(function: Callable[..., Any], case: AnyCase) -> dict[str, Any]:
    """List the arguments for the body: the model, or its members where the facade takes these."""
    if isinstance(case.body, NotSet):
        return {}
    if has_unnamed_members(case) and not has_json(case):
        reject()  # No document says how a form holds these.
    hint = _hints(_plain(function)).get("body")
    body = _with_files(case.body)
    if hint is None:
        if not isinstance(body, dict) or has_unnamed_members(case):
            reject()
        return _spelled(body)
    # Of several content types each has a type of its own, in the same order.
    kinds = dict(zip(contents(case), get_args(hint), strict=False))
    kind = kinds.get(case.media_type, hint) if isinstance(hint, UnionType) else hint
    if isinstance(body, list):
        models = [each for each in get_args(kind) if hasattr(each, "from_dict")]
        return {"body": [_read(models, part) for part in body]}
    if not hasattr(kind, "from_dict") or not isinstance(body, dict):
        return {"body": body}
    return {"body": _model(kind, body, named_members(body_schema(case) or {}))}


def _read(models: list[Any], part: Any) -> Any:
    return models[0].from_dict(part) if models and isinstance(part, dict) else part


def _with_files(value: Any) -> Any:
    if isinstance(value, Binary):
        return File(payload=value.data)
    if isinstance(value, dict):
        return {name: _with_files(member) for name, member in value.items()}
    return [_with_files(item) for item in value] if isinstance(value, list) else value


def _model(kind: Any, body: dict[str, Any], named: Mapping[str, Any]) -> Any:
    """Make a model as callers do: of models, and what it has no name for is set besides."""
    is_open = "additional_properties" in (field.name for field in fields(kind))
    given = {name: v for name, v in body.items() if name in named or not is_open}
    members = _spelled(given, snake=True)
    _check_arguments(kind, members)
    read = kind.from_dict(body)
    made = kind(**{name: getattr(read, name) for name in members})
    if is_open:
        made.additional_properties = read.additional_properties
    return made


def _with_models(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Make models of the objects among the arguments for parameters."""
    made = {}
    for name, value in arguments.items():
        hint = _hints(_plain(function)).get(name) if isinstance(value, dict) else None
        kinds = [kind for kind in (hint, *get_args(hint)) if hasattr(kind, "from_dict")]
        made[name] = _model(kinds[0], value, value) if kinds else value
    return made


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "__func__", function)


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    # The package imports its clients, and what it loads later, for type checkers alone.
    known = {name: getattr(models, name) for name in models.__all__}
    names = {**vars(typing), **vars(signalwire_compat.types), **vars(signalwire_compat), **known}
    return get_type_hints(function, localns={**names, "datetime": datetime})


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    bound = () if _plain(function) is function else (None,)
    try:
        _signature(_plain(function)).bind(*bound, **arguments)
    except TypeError as error:
        raise NoSuchArgumentError(str(error)) from error
