"""Answers a request: route, credentials, checks, then a handler or the contract's example."""

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .contract import INVALID, NOT_FOUND, Contract, Operation, Response
from .credentials import authorize
from .document import SpecError, Validator
from .handler_types import ACCOUNT, Call, Reply
from .handlers import HANDLERS
from .parsing import JSON, Incoming, is_json, media_type
from .refused_numbers import refuse_reserved
from .request_checks import UUID, Refusal, Show, check_request
from .sample_replies import sample_body, sample_headers, sample_status
from .state import State

logger: logging.Logger = logging.getLogger(__name__)

_REALM = 'Basic realm="SignalWire Compatibility API", charset="UTF-8"'


class ReplyError(Exception):
    """A reply that breaks the contract. The message is a sentence that names the place."""


@dataclass(frozen=True)
class Answer:
    """The reply that is sent; `refusal` says why it is not a success."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    operation_id: str | None = None
    refusal: str | None = None


class Engine:
    """Answers requests as the contract says. It knows no operation by name.

    Errors: `SpecError` if an operation can't be answered from the spec.
    """

    def __init__(self, contract: Contract, token: str, state: State) -> None:
        """Check the replies that the spec describes."""
        self.contract: Contract = contract
        self.state: State = state
        self._token = token
        self._show = Show(token)
        try:
            for operation in contract.operations.values():
                self._check(operation)
        except SpecError as error:
            raise SpecError(f"{contract.source}: {error}") from error

    def _check(self, operation: Operation) -> None:
        for key, response in operation.responses.items():
            sample_headers(self.contract.document, response)
            if key[0] in "45d" and response.media:
                status = int(key.replace("X", "0").replace("default", "400"))
                with _fitting(f"{response.pointer}: an error does not fit"):
                    self._refusal(response, INVALID, "", status)
        if operation.name not in HANDLERS:
            status = sample_status(operation)
            with _fitting(f"{operation.pointer}: operation {operation.id}, status {status}"):
                self._encode(operation, self._sample(operation))

    @property
    def sample_operations(self) -> list[str]:
        """The operations without a handler: their replies are samples from the contract."""
        operations = self.contract.operations.values()
        return [operation.id for operation in operations if operation.name not in HANDLERS]

    def operation(self, incoming: Incoming) -> Operation | None:
        """Find the operation that a request is for; None if there is none."""
        found = self.contract.match(incoming.path)
        return found[0].operations.get(incoming.method) if found else None

    def answer(self, incoming: Incoming) -> Answer:
        """Answer a request. Never raises: an error of the mock is a 500 with plain text."""
        operation = None
        try:
            try:
                operation, path = self._route(incoming)
                answer = self._encode(operation, self._reply(incoming, operation, path))
            except Refusal as refusal:
                answer = self._refuse(operation, refusal)
        except (ReplyError, SpecError) as error:
            answer = self._fault(operation, str(error))
        except Exception as error:
            logger.exception("an operation of the mock failed")
            answer = self._fault(operation, f"it raised {error!r}.")
        return replace(answer, operation_id=operation.id if operation else None)

    def _route(self, incoming: Incoming) -> tuple[Operation, dict[str, str]]:
        found = self.contract.match(incoming.path)
        if found is None:
            path = self._show.name(incoming.path, 200)
            message = f"Nothing is served at {path}: the spec has no such path."
            pages = "GET /docs shows the spec, GET /journal what was sent."
            raise Refusal(NOT_FOUND, f"{message} {pages}")
        route, parameters = found
        if incoming.method not in route.operations:
            allowed = ", ".join(sorted(route.operations))
            message = (
                f"The method {self._show(incoming.method)} is not one of this path: {allowed}."
            )
            raise Refusal(INVALID, message, 405, {"allow": allowed})
        return route.operations[incoming.method], parameters

    def _reply(self, incoming: Incoming, operation: Operation, path: Mapping[str, str]) -> Reply:
        if operation.ways:
            project = authorize(
                incoming, operation.ways, self._token, has_account=operation.has_account
            )
            if project and UUID.fullmatch(path.get(ACCOUNT, "")):
                self.state.claim(path[ACCOUNT], project)
        parameters, body = check_request(incoming, operation, path, self._show)
        call = Call(self.contract, operation, parameters, body)
        refuse_reserved(call)
        if operation.name not in HANDLERS:
            return _repeating(self._sample(operation), operation, parameters, body)
        return HANDLERS[operation.name](call, self.state)

    def _sample(self, operation: Operation) -> Reply:
        status = sample_status(operation)
        response = operation.response(status)
        body = sample_body(self.contract.document, response) if response else None
        return Reply(status, body)

    def _refuse(self, operation: Operation | None, refusal: Refusal) -> Answer:
        if refusal.code not in self.contract.codes:
            raise SpecError(f"it needs the error code {refusal.code}. Add it to x-error-codes.")
        wished = refusal.status or self.contract.codes[refusal.code].status
        status = self.contract.status(operation, wished)
        message = refusal.message.replace(self._token, "[token]")
        answer = self._error(operation, refusal.code, message, status)
        challenge = {"www-authenticate": _challenge(operation)} if status == 401 else {}
        return replace(answer, headers={**answer.headers, **refusal.headers, **challenge})

    def refuse(self, operation: Operation | None, code: int) -> Answer:
        """Answer with a published error code and its status, whether or not it is documented."""
        entry = self.contract.codes[code]
        answer = self._error(operation, code, entry.when, entry.status)
        return replace(answer, operation_id=operation.id if operation else None)

    def _error(self, operation: Operation | None, code: int, message: str, status: int) -> Answer:
        response = operation.response(status) if operation else None
        if response and response.media:
            answer = self._refusal(response, code, message, status)
        else:
            error = self.contract.error_body(code, message, status)
            answer = Answer(status, _dump(error, self.contract.error), {"content-type": JSON})
        return replace(answer, refusal=message)

    def _refusal(self, response: Response, code: int, message: str, status: int) -> Answer:
        """Write an error: as the schema Error, with its code as text, or as its message.

        If none of these fits the contract, write the contract's example.
        """
        error = self.contract.error_body(code, message, status)
        for body in (error, {**error, "code": str(code)}, message):
            with contextlib.suppress(ReplyError):
                return self._write(response, status, body)
        return self._write(response, status, sample_body(self.contract.document, response))

    def _fault(self, operation: Operation | None, text: str) -> Answer:
        name = f"the handler of {operation.id}" if operation else "its engine"
        text = f"The mock is at fault, not the request: {name} is broken, {text}"
        text = text.replace(self._token, "[token]")
        logger.error("%s", text)
        headers = {"content-type": "text/plain; charset=utf-8"}
        return Answer(500, text.encode(), headers, refusal=text)

    def _encode(self, operation: Operation, reply: Reply) -> Answer:
        """Encode a reply. Errors: `ReplyError` if it is not documented."""
        response = operation.response(reply.status)
        if response is None:
            pointer = f"{operation.pointer}/responses"
            raise ReplyError(f"status {reply.status} is not documented at {pointer}.")
        return self._write(response, reply.status, reply.body)

    def _write(self, response: Response, status: int, value: Any) -> Answer:
        headers, body = sample_headers(self.contract.document, response), b""
        if response.media and response.content_type:
            headers["content-type"] = response.content_type
            as_json = is_json(media_type(response.content_type))
            body = _dump(value, response.media.validator, as_json=as_json)
        elif value is not None:
            raise ReplyError(f"{response.pointer} documents no content, but the reply has some.")
        return Answer(status, body, headers)


def _repeating(
    reply: Reply, operation: Operation, parameters: Mapping[str, Mapping[str, Any]], body: Any
) -> Reply:
    """Let a sample repeat the arguments that the contract names, as a reply about them does."""
    if not isinstance(reply.body, dict):
        return reply
    given = dict(body) if isinstance(body, dict) else {}
    for values in parameters.values():
        given |= values
    repeated = {m: given[name] for m, name in operation.repeats.items() if name in given}
    return replace(reply, body={**reply.body, **repeated})


def _challenge(operation: Operation | None) -> str:
    """Name a way to authenticate, as a 401 must; an API key has no name of its own."""
    kinds = {scheme.kind for way in operation.ways for scheme in way} if operation else set()
    return _REALM if "basic" in kinds or not kinds else "Bearer" if "bearer" in kinds else "ApiKey"


@contextlib.contextmanager
def _fitting(place: str) -> Iterator[None]:
    """Turn the error of a reply that does not fit into a `SpecError` that names the place."""
    try:
        yield
    except (ReplyError, SpecError) as error:
        problem = str(error).rstrip(".")
        raise SpecError(f"{place}, {problem}. Add an example that fits.") from error


def _dump(body: Any, validator: Validator, *, as_json: bool = True) -> bytes:
    try:
        encoded = json.dumps(body, allow_nan=False).encode()
        fault = next(validator.iter_errors(body), None)
    except (TypeError, ValueError) as error:
        raise ReplyError(f"its reply is not JSON: {error}.") from error
    if fault is not None:
        schema, place = (
            "".join(f"/{step}" for step in path)
            for path in (fault.schema_path, fault.instance_path)
        )
        where = f"the reply's {place}" if place else "the reply"
        raise ReplyError(f"{where} does not fit {schema} of the spec: {fault.message}.")
    if as_json:
        return encoded
    if not isinstance(body, str):
        raise ReplyError("its reply is not text, and the spec documents text.")
    return body.encode()
