"""Run the command with what Python has on Windows: no fcntl, and no signal handlers of a loop."""

import asyncio
import fcntl
import os
import sys
import types
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

open_file = os.open


def locking(file: int, _: int, size: int) -> None:
    # Nobody else may read what is locked: not the results, which end long before.
    assert (os.lseek(file, 0, os.SEEK_CUR), size) == (2**30, 1)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def open_no_folder(path: Any, *rest: Any) -> int:
    if Path(path).is_dir():
        raise PermissionError(13, "Permission denied", path)
    return open_file(path, *rest)


def add_signal_handler(*_: object) -> NoReturn:
    raise NotImplementedError


msvcrt: Any = types.ModuleType("msvcrt")
msvcrt.LK_NBLCK, msvcrt.locking = 2, locking
sys.modules["fcntl"], sys.modules["msvcrt"] = None, msvcrt  # type: ignore[assignment]
vars(os)["open"] = open_no_folder
loop: Any = asyncio.SelectorEventLoop
loop.add_signal_handler = add_signal_handler
(entry,) = entry_points(group="console_scripts", name="signalwire-compat")
sys.exit(entry.load()())
