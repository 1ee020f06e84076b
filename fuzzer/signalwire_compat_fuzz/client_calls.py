"""A case as a call of the client: by the facade or the detailed layer, sync or async."""

import asyncio
import functools
import importlib
import inspect
import keyword
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Self, get_args, get_type_hints

import pytest
from attrs import fields
from hypothesis import reject
from hypothesis.errors import UnsatisfiedAssumption
from openapi_python_client.strings import PythonIdentifier
from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary

from . import credentials
from . import document as doc
from .document import AnyCase
from .options import CLIENT
from .user_hook import around_case

FACADE = ("sync", "async")
DETAILED = ("sync_detailed", "async_detailed")
each_layer = pytest.mark.parametrize("layer", [FACADE, DETAILED], ids=["facade", "detailed"])
PACKAGE: Any = importlib.import_module(CLIENT)
"""The package under test. Of the names at its root, those of the clients differ."""
_CLIENT = next(getattr(PACKAGE, n) for n in PACKAGE.__all__ if f"Async{n}" in PACKAGE.__all__)
_ASYNC_CLIENT = getattr(PACKAGE, f"Async{_CLIENT.__name__}")
_API = importlib.import_module(f"{CLIENT}.api")
_NAMESPACE = next(
    name
    for name, member in vars(_CLIENT).items()
    if isinstance(member, property) and hasattr(_API, member.fget.__annotations__["return"])
)
FILE: Any = importlib.import_module(f"{CLIENT}.types").File
LOG = logging.getLogger(CLIENT)


def layer_of(case: AnyCase) -> tuple[str, str]:
    """Choose the layer by the slice of the examples: the facade for one half, else detailed.

    Each case goes both ways of its layer. The choice must not change while a case is shrunk.
    """
    return DETAILED if case.operation.schema.config.seed % 2 else FACADE


class Named(str):
    """A text with another `str()`, like a member of a `class Method(str, Enum)`."""

    __slots__ = ()

    def __str__(self) -> str:
        return "NAME"


class NoSuchArgumentError(Exception):
    """Python itself refuses the call: an argument is missing or unknown, as type checkers say."""


@dataclass(frozen=True)
class Outcome:
    """What a caller got: a value or the exception that was raised, and warnings in the log.

    A model can be refused while the arguments of the call are made: then nothing was called.
    """

    value: Any = None
    error: Exception | None = None
    warnings: tuple[str, ...] = ()
    is_called: bool = True

    def unwrap(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    @property
    def shown(self) -> str:
        """What a caller can see, without dates. The sync and the async client must agree on it.

        Their pages have classes of different names, which is left out as well.
        """
        error = self.error and (type(self.error), str(self.error), vars(self.error))
        text = repr((self.value, error, self.warnings))
        if " GMT" in text:  # The expression takes a tenth of the time of a case.
            text = re.sub(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", "", text)
        return re.sub(r"Async(?=\w*Page\()", "", text)


class Caller(logging.Handler):
    """Both clients, connected to the same server, and their log."""

    def __init__(self, project: str, token: str, url: str, *, max_retries: int = 2) -> None:
        super().__init__(logging.WARNING)
        self.project = project
        options: dict[str, Any] = credentials.given(_CLIENT, project, token)
        options |= {"host": url, "max_retries": max_retries, "look_up_timeout": 0}
        self._client = _CLIENT(**options)
        self._loop = asyncio.new_event_loop()
        self._async_client = _ASYNC_CLIENT(**options)
        self._warnings: list[str] = []

    def __enter__(self) -> Self:
        LOG.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        LOG.removeHandler(self)
        self._client.close()
        self._loop.run_until_complete(self._async_client.aclose())
        self._loop.close()

    def emit(self, record: logging.LogRecord) -> None:
        self._warnings.append(record.getMessage())

    def call(self, way: str, case: AnyCase) -> Outcome:
        """Send a case. Never raises what the client raises: that is an outcome too."""
        value, failure, self._warnings, self._is_called = None, None, [], False
        try:
            with around_case(case):
                value = self._send(way, case)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            failure = error
        return Outcome(value, failure, tuple(self._warnings), self._is_called)

    def items(self, way: str, page: Any) -> Iterator[Any]:
        """Give the items of a page and of all after it, one at a time."""
        if not way.startswith("async"):
            yield from page
            return
        left = aiter(page)
        while (item := self._loop.run_until_complete(_next(left))) is not None:
            yield item

    def next_page(self, way: str, page: Any) -> Any:
        """Return the page after a page, or None."""
        found = page.next_page()
        return self._loop.run_until_complete(found) if way.startswith("async") else found

    def _send(self, way: str, case: AnyCase) -> Any:
        is_async = way.startswith("async")
        client = self._async_client if is_async else self._client
        tag, name = operation_names(case)
        if way.endswith("detailed"):
            module = python_name(case.operation.definition.raw["operationId"])
            operation = importlib.import_module(f"{CLIENT}.api.{tag}.{module}")
            function = getattr(operation, "asyncio_detailed" if is_async else "sync_detailed")
            arguments = {**_spelled(doc.arguments(case), snake=True), "client": client}
        else:
            given, account = doc.arguments(case), doc.account_parameter(case)
            is_in_half = doc.lot(case, 2)
            is_member = account in doc.named_members(doc.body_schema(case) or {})
            # Where a member of the body has this name, the argument is that member.
            if account and (is_member or (is_in_half and isinstance(given.get(account), str))):
                client = client.with_account(given.pop(account, self.project))
            elif account and given.get(account) == self.project:
                del given[account]  # The client fills it in, as its callers leave it to do.
            function = getattr(getattr(getattr(client, _NAMESPACE), tag), name)
            arguments = _spelled(given)
            if is_in_half:
                known = _signature_of(function).parameters
                left_out = _left_out(case)
                if account and not is_member:
                    left_out.add(python_name(account, snake=False))
                arguments |= {n: None for n in left_out if n in known}
        arguments = _with_models(function, arguments) | _body(function, case)
        if doc.lot(case, 5) == 0:
            arguments = {n: Named(v) if type(v) is str else v for n, v in arguments.items()}
        _check_arguments(function, arguments)
        takes_body = "body" in _signature_of(function).parameters
        needs_body = isinstance(case.body, NotSet) and doc.documented_body(case).get("required")
        if needs_body and not takes_body:
            reject()  # A call without a member of the body sends an empty one.
        self._is_called = True
        sent = function(*_positional(function, arguments), **arguments)
        result = self._loop.run_until_complete(sent) if is_async else sent
        body: Any = arguments.get("body")
        if hasattr(body, "to_dict"):
            written = body.to_dict()
            assert type(body).from_dict(written).to_dict() == written, "it is another, read back"
        return result


async def _next(left: AsyncIterator[Any]) -> Any:
    return await anext(left, None)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return _hints_of(getattr(function, "__func__", function))  # Each client has its own methods.


_hints_of = functools.cache(get_type_hints)
_signature_of = functools.lru_cache(maxsize=100)(inspect.signature)


@functools.cache
def python_name(name: str, *, snake: bool = True) -> str:
    return PythonIdentifier(name, "field_", not snake)


def operation_names(case: AnyCase) -> tuple[str, str]:
    """Return the names of the tag and the method: a method may be named like a builtin."""
    operation = case.operation.definition.raw
    name = operation["operationId"]
    is_reserved = keyword.iskeyword(name)
    return python_name(operation["tags"][0]), f"{name}_" if is_reserved else python_name(
        name
    ).removesuffix("_")


def _left_out(case: AnyCase) -> set[str]:
    """Name the optional arguments that a case lacks, and for which None leaves them out."""
    parameters = doc.documented_parameters(case.operation.path, case.operation.definition.raw)
    queried = {name: p for name, p in parameters.items() if p["in"] == "query"}
    found = {name: p.get("schema", {}) for name, p in queried.items()}
    others = {name for name, p in queried.items() if p.get("required")} | {*doc.parameters(case)}
    if isinstance(case.body, dict):
        schema = doc.resolved(doc.body_schema(case) or {})
        found |= doc.named_members(schema)
        others |= {*schema.get("required", ()), *case.body, doc.account_parameter(case) or ""}
    absent = (
        n for n, part in found.items() if n not in others and not doc.allows_type(part, "null")
    )
    return {python_name(doc.argument_name(case, name), snake=False) for name in absent}


def as_called(ways: tuple[str, str], case: AnyCase) -> AnyCase:
    """Return what a call means: in the facade, None leaves an optional argument out."""
    if ways != FACADE:
        return case
    given, schemas = doc.parameters(case), doc.parameter_schemas(case)
    schema = doc.resolved(doc.body_schema(case) or {})
    optional = doc.named_members(schema).keys() - {*schema.get("required", ())}
    left_out = {name for name in case.query if name in schemas and given.get(name, "") is None}
    if isinstance(case.body, dict):
        members = {name: doc.named_members(schema)[name] for name in optional & case.body.keys()}
        left_out_of_body = {
            name
            for name, member in members.items()
            if case.body[name] is None and not doc.allows_type(member, "null")
        }
        case.body = {n: v for n, v in case.body.items() if n not in left_out_of_body}
    case.query = {n: v for n, v in case.query.items() if n not in left_out}
    return case


def _positional(function: Callable[..., Any], arguments: dict[str, Any]) -> list[Any]:
    """Take out the arguments that callers of the facade give without names."""
    kinds = _signature_of(function).parameters.items()
    names = [name for name, argument in kinds if argument.kind is argument.POSITIONAL_OR_KEYWORD]
    return [arguments.pop(name) for name in names]


def _spelled(members: Mapping[str, Any], *, snake: bool = False) -> dict[str, Any]:
    return {python_name(name, snake=snake): value for name, value in members.items()}


def _body(function: Callable[..., Any], case: AnyCase) -> dict[str, Any]:
    """Make the arguments for the body: the model, or its members where the facade takes these."""
    if isinstance(case.body, NotSet):
        return {}
    is_unnamed = doc.has_unnamed_members(case)
    if is_unnamed and not doc.is_json(case.media_type):
        reject()  # No document says how a form holds these.
    hint = _hints(function).get("body")
    body = doc.mapped(case.body, lambda v: FILE(payload=v.data) if isinstance(v, Binary) else v)
    if hint is None:
        if not isinstance(body, dict) or is_unnamed:
            reject()
        return _spelled(body)
    # Of several content types each has a type of its own, in the same order.
    kinds = dict(zip(doc.contents(case), get_args(hint), strict=False))
    kind = kinds.get(case.media_type, hint) if isinstance(hint, UnionType) else hint
    if isinstance(body, list):
        model = next((each for each in get_args(kind) if hasattr(each, "from_dict")), None)
        items = (model.from_dict(i) if model and isinstance(i, dict) else i for i in body)
        return {"body": [*items]}
    if not hasattr(kind, "from_dict") or not isinstance(body, dict):
        return {"body": body}
    return {"body": _model(kind, body, doc.named_members(doc.body_schema(case) or {}))}


def _model(kind: Any, body: dict[str, Any], named: Mapping[str, Any]) -> Any:
    """Make a model as callers do: of models, and what it has no name for is set besides."""
    is_open = "additional_properties" in (field.name for field in fields(kind))
    given = {name: v for name, v in body.items() if name in named or not is_open}
    members = _spelled(given, snake=True)
    _check_arguments(kind, members)
    read = kind.from_dict(body)
    if not is_open:
        with pytest.raises(ValueError, match="has no member"):
            kind.from_dict({**body, "no such member": 1})
    made = kind(**{name: getattr(read, name) for name in members})
    if is_open:
        made.additional_properties = read.additional_properties
    return made


def _with_models(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    made = {**arguments}
    for name, value in arguments.items():
        hint = _hints(function).get(name) if isinstance(value, dict) else None
        for kind in [kind for kind in (hint, *get_args(hint)) if hasattr(kind, "from_dict")][:1]:
            made[name] = _model(kind, value, value)
    return made


def _check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    try:
        _signature_of(function).bind(**arguments)
    except TypeError as error:
        raise NoSuchArgumentError(str(error)) from error
