"""Servers to fuzz, each in a process of its own, and the command in a folder of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import run

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("signalwire-compat-fuzz")
Fuzz = Callable[..., CompletedProcess[str]]
Shop = Callable[..., str]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Return a function that starts a shop with some bugs, and gives its address."""
    with ExitStack() as stack:

        def start(*bugs: str) -> str:
            command = [sys.executable, str(HERE / "shop.py"), *bugs]
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.terminate)
            assert process.stdout is not None
            return process.stdout.readline().strip()

        yield start


@pytest.fixture
def fuzz(tmp_path: Path) -> Fuzz:
    """Return a function that runs the command beside a copy of the shop's document."""
    (tmp_path / "openapi.yaml").write_bytes((HERE / "shop.yaml").read_bytes())

    def run_command(*options: str, **variables: str) -> CompletedProcess[str]:
        return run(PROGRAM, *options, cwd=tmp_path, **variables)

    return run_command
