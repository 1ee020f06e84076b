"""The rows of `signalwire-compat bulk`: from a CSV file, or from what another operation finds."""

from __future__ import annotations

import csv
import inspect
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin, get_type_hints

from ._client import AsyncRestClient
from ._contract import CANDIDATES
from ._request import Request
from .api import Compat

Row = dict[str, Any]
"""The arguments of a call, by name."""


class Operation:
    """An operation of `client.compat` by its name. Errors: `ValueError` if there is none."""

    def __init__(self, client: AsyncRestClient, name: str) -> None:
        known = _operations(client.compat)
        if name not in known:
            raise ValueError(f"{name} is not an operation. Name one of {', '.join(known)}.")
        self.name, self.method = name, known[name]
        # The same with a client that sends nothing, and gives back what it was to send.
        self._draft = _operations(Compat(cast(Any, _Draft(client.account))))[name]
        self._signature = inspect.signature(self.method)
        self._hints = get_type_hints(self.method)

    @property
    def arguments(self) -> list[str]:
        """The names of its arguments."""
        return list(self._signature.parameters)

    def check(self, *positional: Any, **arguments: Any) -> tuple[Request, bool]:
        """Check a call. Returns its request, and whether its outcome can be looked up.

        Errors: `ValueError`.
        """
        try:
            self._signature.bind(*positional, **arguments)
        except TypeError as error:
            raise ValueError(f"{self.name}: {error}") from None
        return cast(tuple[Request, bool], self._draft(*positional, **arguments))

    def key(self, row: Row) -> str:
        """Give what tells a row from others: the arguments that its reply repeats.

        Errors: `ValueError`; `NotImplementedError` if the outcome can't be looked up.
        """
        request, can_be_looked_up = self.check(**row)
        if not can_be_looked_up:
            what = "can't be called in bulk: the contract has no way to look up what became of it"
            raise NotImplementedError(f"{self.name} {what}.")
        return " ".join(str(request.arguments[name]) for _, name, _ in request.repeats)

    def read(self, words: Mapping[str, str]) -> Row:
        """Read the arguments that are not empty: as JSON, where an argument is never text."""
        return {name: self._read(name, text) for name, text in words.items() if text}

    def _read(self, name: str, text: str) -> Any:
        kinds = get_args(self._hints.get(name)) or (str,)
        if any(kind is str or get_origin(kind) is Literal for kind in kinds):
            return text
        try:
            return json.loads(text)
        except (RecursionError, ValueError):
            return text


class _Draft(NamedTuple):
    account: str

    def _send(self, request: Request, _: Any, look_up: Any = None) -> tuple[Request, bool]:
        return request, look_up is not None


def _operations(compat: Any) -> dict[str, Callable[..., Any]]:
    groups = {name: getattr(compat, name) for name in dir(compat) if not name.startswith("_")}
    return {
        f"{tag}.{name}": getattr(group, name)
        for tag, group in groups.items()
        for name in dir(group)
        if not name.startswith("_")
    }


def read_words(words: list[str]) -> dict[str, str]:
    """Split words such as NAME=VALUE."""
    return {name: text for name, _, text in (word.partition("=") for word in words)}


def read_rows(path: Path, operation: Operation, given: Row) -> list[Row]:
    """Read and check all rows. `given` has arguments of every row.

    Errors: `ValueError` that names each wrong line.
    """
    rows: dict[str, tuple[int, Row]] = {}
    problems: list[str] = []
    try:
        reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        header = [name.strip() for name in next(reader, [])]
        if not header or len({*header} & {*operation.arguments}) < len(header):
            columns, known = ", ".join(header) or "missing", ", ".join(operation.arguments)
            what = f"the columns are {columns}. Name different ones of {known}"
            raise ValueError(f"{path}: line 1: {what}.")
        for cells in filter(any, reader):
            words = dict(zip(header, map(str.strip, cells), strict=False))
            row = {**given, **operation.read(words)}
            try:
                if len(cells) > len(header):
                    raise ValueError("it has more cells than the first line")
                line, first = rows.setdefault(operation.key(row), (reader.line_num, row))
                if first != row:
                    raise ValueError(f"it repeats line {line} with other arguments")
            except ValueError as error:
                problems.append(f"{path}: line {reader.line_num}: {error}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file in UTF-8: {error}") from None
    if problems:
        raise ValueError("\n".join(problems))
    return [row for _, row in rows.values()]


class Search:
    """The search of `--find`: an operation and its arguments. Errors: `ValueError`."""

    def __init__(
        self, client: AsyncRestClient, words: list[str], operation: Operation, given: Row
    ) -> None:
        finder = Operation(client, words[0])
        known = [source for source, target in CANDIDATES if target == operation.name]
        if finder.name not in known:
            what = f"{finder.name} finds nothing for {operation.name}"
            raise ValueError(f"{what}. Use {' or '.join(known) or 'a CSV file'}.")
        self._items, self._members = CANDIDATES[finder.name, operation.name]
        positional = [word for word in words[1:] if "=" not in word]
        named = finder.read(read_words([word for word in words[1:] if "=" in word]))
        finder.check(*positional, **named)
        self._ask = partial(finder.method, *positional, **named)
        self._given = given

    async def rows(self) -> AsyncIterator[Row]:
        """Give what is found, and search again until nothing new is found."""
        seen: list[Row] = []
        while True:
            page = (await self._ask()).to_dict()
            try:
                items = page[self._items]
                found = [{name: item[m] for name, m in self._members.items()} for item in items]
            except (LookupError, TypeError):
                raise ValueError("the reply of the search lacks what a row needs.") from None
            new = [row for row in found if row not in seen]
            if not new:
                raise ValueError("nothing more was found.")
            seen += new
            for row in new:
                yield {**self._given, **row}
