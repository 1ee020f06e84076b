"""An operation by its name: its arguments in words, and calls that are checked but not sent."""

from __future__ import annotations

import datetime
import functools
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from ._look_up import HowToLookUp
from ._request import Request
from .api import Compat
from .types import File

Row = dict[str, Any]
"""The arguments of a call, by name."""


class Argument(NamedTuple):
    """An argument of an operation. `kinds` are the types that it can have."""

    kinds: tuple[Any, ...]
    is_positional: bool
    is_required: bool
    about: str


class _DraftedError(Exception):
    """Ends a call where it would be sent."""

    def __init__(self, request: Request, look_up: HowToLookUp | None) -> None:
        super().__init__()
        self.request, self.look_up = request, look_up


class _Draft(NamedTuple):
    """Stands in for a client that sends nothing."""

    account: str

    def _send(self, request: Request, _: Any, look_up: HowToLookUp | None = None) -> Any:
        raise _DraftedError(request, look_up)


class Operation:
    """An operation of `client.compat`, by `TAG.OPERATION`. Errors: `ValueError` if there is none.

    Without a client it can be described and checked, but not called.
    """

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name.replace("-", "_")
        tag, _, method = self.name.partition(".")
        near = [tag] if tag in tags() else tags()
        known = [f"{each}.{method}" for each in near for method in methods(each)]
        if self.name not in known:
            raise ValueError(f"{self.name} is not an operation. Name one of {', '.join(known)}.")
        self._draft = getattr(_group(tag, client.account if client else ""), method)
        self.method = getattr(getattr(client.compat, tag), method) if client else self._draft
        self._signature = inspect.signature(self._draft)

    @functools.cached_property
    def arguments(self) -> dict[str, Argument]:
        """Its arguments, by name."""
        hints, words = get_type_hints(self._draft), dict(_about_arguments(self._draft))
        return {
            name: Argument(
                kinds_of(hints[name]),
                parameter.kind is parameter.POSITIONAL_OR_KEYWORD,
                parameter.default is parameter.empty,
                words.get(name, ""),
            )
            for name, parameter in self._signature.parameters.items()
        }

    @property
    def about(self) -> list[str]:
        """What the contract says of it, by paragraph; the first one is its summary."""
        text = inspect.getdoc(self._draft) or ""
        return re.split(r"\n+(?:Args|Returns|Raises):\n", text)[0].split("\n\n")

    @property
    def has_pages(self) -> bool:
        """Whether it returns a page, which other pages may follow."""
        return hasattr(get_type_hints(self._draft)["return"], "next_page")

    def check(self, *positional: Any, **arguments: Any) -> tuple[Request, HowToLookUp | None]:
        """Check a call. Returns its request, and how its outcome is looked up, if it can be.

        Errors: `ValueError`.
        """
        try:
            self._signature.bind(*positional, **arguments)
        except TypeError as error:
            raise ValueError(f"{self.name}: {error}") from None
        try:
            self._draft(*positional, **arguments)
        except _DraftedError as drafted:
            return drafted.request, drafted.look_up
        raise AssertionError(f"{self.name} sends nothing")

    def key(self, row: Row) -> str:
        """Give what tells a row from others: the arguments that its reply repeats.

        Errors: `ValueError`; `NotImplementedError` if the outcome can't be looked up.
        """
        request, look_up = self.check(**row)
        if not look_up:
            what = "can't be called in bulk: the contract has no way to look up what became of it"
            raise NotImplementedError(f"{self.name} {what}.")
        return " ".join(str(request.arguments[name]) for _, name, _ in request.repeats)

    def read(self, words: Mapping[str, str]) -> Row:
        """Read the arguments that are not empty. Errors: `ValueError` for an unknown name."""
        if unknown := [repr(name) for name in words if name not in self.arguments]:
            known = f"It has {', '.join(self.arguments)}."
            raise ValueError(f"{self.name} has no argument {', '.join(unknown)}. {known}")
        return {
            name: read(text, self.arguments[name].kinds) for name, text in words.items() if text
        }


def tags() -> list[str]:
    """Name the attributes of `client.compat`."""
    return [name for name in dir(Compat) if not name.startswith("_")]


def methods(tag: str) -> list[str]:
    """Name the operations of a tag."""
    return [name for name in dir(_group(tag, "")) if not name.startswith("_")]


def _group(tag: str, account: str) -> Any:
    """Give the operations of a tag with a client that sends nothing."""
    return getattr(Compat(cast(Any, _Draft(account))), tag)


def _about_arguments(method: Any) -> Iterator[tuple[str, str]]:
    """Read the words of the contract about each argument from a docstring."""
    found = re.search(r"^Args:\n((?: {4}.*\n|\n)*)", inspect.getdoc(method) or "", re.MULTILINE)
    parts = re.split(r"^ {4}(\w+):", found[1] if found else "", flags=re.MULTILINE)[1:]
    for name, about in zip(parts[::2], parts[1::2], strict=True):
        yield name, " ".join(about.split())


def kinds_of(hint: Any) -> tuple[Any, ...]:
    """Split a type into those that it allows."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def read(text: str, kinds: tuple[Any, ...]) -> Any:
    """Make the value of an argument of a text: text, a file, a date, a model, or other JSON.

    A text that can't be read is returned as it is, and the check of the call says what is wrong.
    Errors: `ValueError` for a file that can't be read.
    """
    for kind in kinds:
        if kind is str or (get_origin(kind) is Literal and isinstance(get_args(kind)[0], str)):
            return text
        if kind is File:
            try:
                return File(Path(text).read_bytes(), Path(text).name)
            except OSError as error:
                raise ValueError(f"{text} can't be read: {error.strerror}") from None
    try:
        for kind in kinds:
            if kind in (datetime.date, datetime.datetime):
                return kind.fromisoformat(text)
        value = json.loads(text)
        model = next((kind for kind in kinds if hasattr(kind, "from_dict")), None)
        return model.from_dict(value) if model and isinstance(value, dict) else value
    except (RecursionError, TypeError, ValueError):
        return text
