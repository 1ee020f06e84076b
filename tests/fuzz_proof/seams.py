"""Where bugs are planted: functions and classes that are wrapped, and parts of the document."""

import functools
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from signalwire_compat._call import Call
from signalwire_compat._reply import Reply
from signalwire_compat_mock import handlers
from signalwire_compat_mock.engine import Answer, Engine

Document = dict[str, Any]
Edit = Callable[[Document], object]
Plant = Callable[[], object]


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Replace a function by `around`, which is called with it and with its arguments."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def planted(*args: Any, **kwargs: Any) -> Any:
        return around(real, *args, **kwargs)

    is_class_method = inspect.ismethod(real)
    setattr(owner, name, staticmethod(planted) if is_class_method else planted)


def wrapped(owner: Any, name: str, around: Callable[..., Any]) -> Plant:
    """Make a bug of a function: see `wrap`."""
    return lambda: wrap(owner, name, around)


def returned(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """Make a bug that returns another result; `change` gets the right one and the arguments."""
    return wrapped(owner, name, lambda real, *args: change(real(*args), *args))


def spoilt(owner: Any, name: str, change: Callable[..., object]) -> Plant:
    """Make a bug that spoils the result; `change` gets it and the arguments."""

    def around(real: Callable[..., Any], *args: Any) -> Any:
        result = real(*args)
        change(result, *args)
        return result

    return wrapped(owner, name, around)


def requests(change: Callable[[Any], dict[str, Any]]) -> Plant:
    """Make a bug that sends each request with other members."""
    return wrapped(
        Call,
        "__init__",
        lambda real, self, settings, r: real(self, settings, r._replace(**change(r))),
    )


def written(model: type, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    """Make a bug of what a model writes."""
    return returned(model, "to_dict", lambda members, self: change(members))


def read(model: type, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    """Make a bug of what a model reads."""
    return wrapped(model, "from_dict", lambda real, source: real(change({**source})))


def decoded(model: type, change: Callable[[Any, dict[str, Any]], object]) -> Plant:
    """Make a bug that spoils a model after it is read; `change` gets its source as well."""
    return spoilt(model, "from_dict", change)


def errors(change: Callable[[Any], object]) -> Plant:
    """Make a bug that spoils each exception for a reply."""
    return spoilt(Reply, "error", lambda error, *_: change(error))


def called(owner: Any, name: str, **changes: Callable[[dict[str, Any]], Any]) -> Plant:
    """Make a bug that calls a function with other arguments, which are made of the right ones."""

    def around(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        made = {argument: change(kwargs) for argument, change in changes.items()}
        return real(*args, **{**kwargs, **made})

    return wrapped(owner, name, around)


def answers(change: Callable[[Answer], dict[str, Any]]) -> Plant:
    """Make a bug of the mock that answers with other members."""
    return returned(Engine, "answer", lambda answer, *_: replace(answer, **change(answer)))


def records(change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Plant:
    """Make a bug of the record of a number that the mock sells."""
    return returned(handlers, "_new_record", lambda record, call, _: change(record, call))


def purchases(before: Callable[[Any], object]) -> Plant:
    """Make a bug of the mock that does something before each purchase."""

    def around(call: Any, state: Any) -> Any:
        before(call)
        return handlers.purchase(call, state)

    return lambda: handlers.HANDLERS.update(purchase=around)


def json_of(content: Any, change: Callable[[Any], Any]) -> bytes:
    """Change JSON in bytes."""
    return json.dumps(change(json.loads(content))).encode()


def renamed(members: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Give a member another name, where it stood."""
    return {new if name == old else name: value for name, value in members.items()}


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    """Leave members out."""
    return {name: value for name, value in members.items() if name not in names}


def nodes(document: Any) -> Iterator[Document]:
    """List every object of a document."""
    if isinstance(document, dict):
        yield document
    for part in document.values() if isinstance(document, dict) else document:
        if isinstance(part, dict | list):
            yield from nodes(part)


def everywhere(*keywords: str) -> Edit:
    """Make an edit that takes keywords out of every schema."""
    return lambda document: [node.pop(word, None) for node in nodes(document) for word in keywords]


def schema(name: str, change: Edit) -> Edit:
    """Make an edit of a named schema."""
    return lambda document: change(document["components"]["schemas"][name])


def member(name: str, of: str = "PurchaseRequest", **keywords: Any) -> Edit:
    """Make an edit of a member of a schema; None takes a keyword out."""

    def edit(found: Document) -> None:
        changed = {**found["properties"][name], **keywords}
        found["properties"][name] = {k: v for k, v in changed.items() if v is not None}

    return schema(of, edit)


def members(change: Callable[[Document], Document], of: str = "PurchaseRequest") -> Edit:
    """Make an edit of the members of a schema: which there are, and their names."""
    return schema(of, lambda found: found.update(properties=change(found["properties"])))


def operation(change: Edit) -> Edit:
    """Make an edit of the purchase."""
    return lambda document: change(next(iter(document["paths"].values()))["post"])


def responses(change: Callable[[Document], Document]) -> Edit:
    """Make an edit of the replies of all operations."""

    def edit(document: Document) -> None:
        for node in nodes(document["paths"]):
            if isinstance(node.get("responses"), dict):
                node["responses"] = change(node["responses"])

    return edit
