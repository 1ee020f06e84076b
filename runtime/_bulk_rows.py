"""The rows of `signalwire-compat bulk`: from a CSV file, or from what another operation finds."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from ._contract import CANDIDATES
from ._operation import Operation, Row
from ._rest_client import AsyncRestClient


def read_words(words: list[str]) -> dict[str, str]:
    """Split words such as NAME=VALUE. Errors: `ValueError`, also if a name comes twice."""
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    if len(pairs) < len(words):
        raise ValueError(f"{' '.join(words)}: give NAME=VALUE, and each name once.")
    return pairs


def read_rows(path: Path, operation: Operation, given: Row) -> list[Row]:
    """Read and check all rows. `given` has arguments of every row.

    Errors: `ValueError` that names each wrong line; `OSError`.
    """
    rows: dict[str, tuple[int, Row]] = {}
    problems: list[str] = []
    try:
        reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        header = [name.strip() for name in next(reader, [])]
        if header and header[0].startswith("{"):
            raise ValueError(f"{path} holds JSON, as a results file does. Name a CSV file.")
        if not header or len({*header}) < len(header):
            raise ValueError(f"{path}: line 1: name each column, and each name once.")
        try:
            operation.read(dict.fromkeys(header, ""))
        except ValueError as error:
            raise ValueError(f"{path}: line 1: {error}") from None
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
        finder = Operation(words[0], client)
        known = [source for source, target in CANDIDATES if target == operation.name]
        if finder.name not in known:
            what = f"{finder.name} finds nothing for {operation.name}"
            raise ValueError(f"{what}. Use {' or '.join(known) or 'a CSV file'}.")
        self._items, self._members = CANDIDATES[finder.name, operation.name]
        positional = [word for word in words[1:] if "=" not in word]
        named = finder.read(read_words([word for word in words[1:] if "=" in word]))
        finder.check(*positional, **named)
        self._ask = partial(finder.method, *positional, **named)
        self._given, self._key = given, operation.key

    async def rows(self) -> AsyncIterator[Row]:
        """Give each row that is found once, and search again until nothing new is found."""
        seen: set[str] = set()
        while True:
            page = (await self._ask()).to_dict()
            try:
                items = page[self._items]
                found = [{name: item[m] for name, m in self._members.items()} for item in items]
            except (LookupError, TypeError):
                raise ValueError("the reply of the search lacks what a row needs.") from None
            known = len(seen)
            for row in found:
                key = self._key({**self._given, **row})
                if key not in seen:
                    seen.add(key)
                    yield {**self._given, **row}
            if len(seen) == known:
                raise ValueError("nothing more was found.")
