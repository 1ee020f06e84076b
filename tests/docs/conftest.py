"""Run the code of examples and pages."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest


def blocks(path: Path, language: str) -> list[str]:
    """Return the code of each block of a page that is in this language."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


class Ended(NamedTuple):
    """How a program ended."""

    status: int
    out: str
    err: str


Execute = Callable[..., Ended]


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Execute:
    """Run a program in this process, with arguments and environment variables."""

    def execute(
        code: str, *arguments: str, environment: dict[str, str], names: dict[str, Any] | None = None
    ) -> Ended:
        monkeypatch.setattr("sys.argv", ["program", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        program: dict[str, Any] = {"__name__": "__main__", **(names or {})}
        logger = logging.getLogger("signalwire_compat")
        level = logger.level
        status, said = 0, ""
        try:
            exec(code, program)  # noqa: S102  # from this repository
        except SystemExit as ended:
            status, said = (1, ended.code) if isinstance(ended.code, str) else (ended.code or 0, "")
        finally:
            logger.setLevel(level)
            if "client" in program:
                program["client"].close()  # The shortest programs leave that to their end.
        out, err = capsys.readouterr()
        return Ended(status, out, err + said)

    return execute
