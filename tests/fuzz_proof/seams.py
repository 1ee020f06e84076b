"""Where bugs are planted: functions and classes that are wrapped, and parts of the document.

Those that return a `Plant` make a bug of the code, those that return an `Edit` one of the document.
"""

import functools
import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from signalwire_compat._call import Call
from signalwire_compat._reply import Reply
from signalwire_compat_fuzz.document import objects
from signalwire_compat_mock import handlers
from signalwire_compat_mock.engine import Answer, Engine

Document = dict[str, Any]
Edit = Callable[[Document], object]
Plant = Callable[[], object]


def wrapped(owner: Any, name: str, around: Callable[..., Any]) -> Plant:
    """Call `around` in place of a function, with it and with its arguments."""

    def plant() -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        def planted(*args: Any, **kwargs: Any) -> Any:
            return around(real, *args, **kwargs)

        setattr(owner, name, staticmethod(planted) if inspect.ismethod(real) else planted)

    return plant


def returned(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """Return another result; `change` gets the right one and the arguments."""
    return wrapped(owner, name, lambda real, *args: change(real(*args), *args))


def spoilt(owner: Any, name: str, change: Callable[..., object]) -> Plant:
    """Spoil the result; `change` gets it and the arguments."""
    return returned(owner, name, lambda result, *args: (result, change(result, *args))[0])


def requests(change: Callable[[Any], dict[str, Any]]) -> Plant:
    def around(
        real: Callable[..., None], self: Call, settings: Any, request: Any, *rest: Any
    ) -> None:
        real(self, settings, request._replace(**change(request)), *rest)

    return wrapped(Call, "__init__", around)


def written(model: type, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    return returned(model, "to_dict", lambda members, self: change(members))


def read(model: type, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    return wrapped(model, "from_dict", lambda real, source: real(change({**source})))


def decoded(model: type, change: Callable[[Any, dict[str, Any]], object]) -> Plant:
    """Spoil a model after it is read; `change` gets its source as well."""
    return spoilt(model, "from_dict", change)


def errors(change: Callable[[Any], object]) -> Plant:
    return spoilt(Reply, "error", lambda error, *_: change(error))


def called(owner: Any, name: str, **changes: Callable[[dict[str, Any]], Any]) -> Plant:
    """Call a function with other arguments, which are made of the right ones."""

    def around(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        made = {argument: change(kwargs) for argument, change in changes.items()}
        return real(*args, **{**kwargs, **made})

    return wrapped(owner, name, around)


def answers(change: Callable[[Answer], dict[str, Any]]) -> Plant:
    return returned(Engine, "answer", lambda answer, *_: replace(answer, **change(answer)))


def records(change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Plant:
    return returned(handlers, "_new_record", lambda record, call, *_: change(record, call))


def purchases(before: Callable[[Any], object]) -> Plant:
    def around(call: Any, state: Any) -> Any:
        before(call)
        return handlers.purchase(call, state)

    return lambda: handlers.HANDLERS.update({"phone_numbers.purchase": around})


def json_of(content: Any, change: Callable[[Any], Any]) -> bytes:
    return json.dumps(change(json.loads(content))).encode()


def renamed(members: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Give a member another name, where it stood."""
    return {new if name == old else name: value for name, value in members.items()}


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


def everywhere(*keywords: str) -> Edit:
    return lambda found: [node.pop(word, None) for node in objects(found) for word in keywords]


def schema(name: str, change: Edit) -> Edit:
    return lambda document: change(document["components"]["schemas"][name])


def member(name: str, of: str = "PurchaseRequest", **keywords: Any) -> Edit:
    """Change keywords of a member of a schema; None takes one out."""

    def edit(found: Document) -> Document:
        changed = {**found[name], **keywords}
        return {**found, name: {k: v for k, v in changed.items() if v is not None}}

    return members(edit, of)


def members(change: Callable[[Document], Document], of: str = "PurchaseRequest") -> Edit:
    return schema(of, lambda found: found.update(properties=change(found["properties"])))


def operation(change: Edit) -> Edit:
    return lambda document: change(next(iter(document["paths"].values()))["post"])


def responses(change: Callable[[Document], Document]) -> Edit:
    def edit(document: Document) -> None:
        for node in objects(document["paths"]):
            if isinstance(node.get("responses"), dict):
                node["responses"] = change(node["responses"])

    return edit
