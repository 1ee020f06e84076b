"""What the command writes and asks: tables for people, JSON for programs, questions and errors."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, get_args, get_type_hints

from attrs import has

from ._redaction import one_line
from ._values import encode

STATUSES = """\
exit status:
  0    done
  1    not done: refused, unanswered or stopped; the reason is on standard error
  2    wrong arguments, settings or files: nothing was sent
  3    unknown: it may have been done, and standard error says how to find out
  130  Ctrl-C
  143  SIGTERM
"""


class Status(IntEnum):
    """The exit status of the command: see `STATUSES`."""

    DONE = 0
    NOT_DONE = 1
    USAGE = 2
    UNKNOWN = 3
    INTERRUPTED = 130
    TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a call as Ctrl-C does."""


@contextlib.contextmanager
def results_written(advice: str) -> Iterator[None]:
    """Write the results of calls inside. Ends the program, with advice, if that fails."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # Python would try to write the rest once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        what = f"The result can't be written: {error.strerror}. {advice}"
        raise SystemExit(fail(what, Status.UNKNOWN)) from None


def write_json(result: Any) -> None:
    """Write one JSON document."""
    sys.stdout.write(json.dumps(encode(result), indent=2) + "\n")


def write_table(result: Any) -> None:
    """Write a list of objects as a table, one object as lines, and anything else as it is."""
    rows = result if isinstance(result, list) else _listed(result)
    if rows is not None:
        sys.stdout.write(_table(rows))
    elif hasattr(result, "to_dict"):
        members = [[name, _cell(value)] for name, value in result.to_dict().items()]
        sys.stdout.write(_aligned([pair for pair in members if pair[1]]))
    else:
        sys.stdout.write("Done.\n" if result is None else f"{_cell(result)}\n")


def _listed(result: Any) -> list[Any] | None:
    """Find the list of an object that people look for: its items have columns."""
    hints = get_type_hints(type(result)) if has(type(result)) else {}
    kinds = {name: (hint, *get_args(hint)) for name, hint in hints.items()}
    lists = [
        getattr(result, name)
        for name, choices in kinds.items()
        if any(hasattr(item, "_columns") for kind in choices for item in get_args(kind))
    ]
    found = [each for each in lists if isinstance(each, list)]
    return found[0] if len(found) == 1 else None


def _table(rows: list[Any]) -> str:
    if not rows:
        return "Nothing found.\n"
    columns = list(getattr(rows[0], "_columns", ()))
    if not columns and all(hasattr(row, "to_dict") for row in rows):
        members = [member for row in rows for member in row.to_dict().items()]
        columns = list(dict.fromkeys(k for k, v in members if not isinstance(v, dict | list)))
    if not columns:
        return "".join(f"{_cell(row)}\n" for row in rows)
    cells = ([_cell(members.get(name)) for name in columns] for members in map(_members, rows))
    return _aligned([columns, *cells])


def _members(row: Any) -> dict[str, Any]:
    """Give the members of an item; none if a server sent something else."""
    found = encode(row)
    return found if isinstance(found, dict) else {}


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return one_line(value if isinstance(value, str) else json.dumps(encode(value)))


def may_go_on(question: str, caution: str | None, *, yes: bool) -> bool:
    """Ask before a call that costs money or can't be undone. Errors: `ValueError` if nobody can."""
    if caution is None or yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise ValueError(f"{question}: {caution} Nobody can be asked here: add --yes to go on.")
    sys.stderr.write(f"{question}\n{caution} Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def fail(message: str, status: int) -> int:
    """Write an error, and return the status."""
    try:
        for line in message.splitlines():
            sys.stderr.write(" ".join(line.split()) + "\n")
    except OSError:  # The status is all that can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return status
