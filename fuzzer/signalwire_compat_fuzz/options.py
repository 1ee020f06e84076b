"""What a run is asked to do.

Each setting is the variable FUZZ_NAME, else `name` in the table [tool.signalwire-compat-fuzz] of
the pyproject.toml in the current folder, else a default. The command sets the variables.
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

KINDS = ("id", "tag", "method")
_LEAST = {"examples": 1}
"""The least value of settings that can't be 0."""
_PYPROJECT = Path("pyproject.toml")
_TABLE: dict[str, Any] = (
    tomllib.loads(_PYPROJECT.read_text("utf-8")).get("tool", {}).get("signalwire-compat-fuzz", {})
    if _PYPROJECT.is_file()
    else {}
)


def refuse(problem: str) -> NoReturn:
    """End the command with one line and status 2: it can't do what it is asked to do."""
    sys.stderr.write(f"signalwire-compat-fuzz: {problem}\n")
    raise SystemExit(2)


def setting(name: str, default: object = "") -> str:
    """Return a setting as text: several values on a line each, and false as an empty text."""
    value = _TABLE.get(name, default)
    value = "" if value is False else value
    text = "\n".join(value) if isinstance(value, list) else str(value)
    return os.environ.get(f"FUZZ_{name.upper()}") or text


def spec_file() -> Path:
    """Return the document. The command may have named it after this module was imported."""
    return Path(setting("spec", "openapi.yaml"))


def number(name: str, default: int) -> int:
    """Return a setting that is a whole number; refuse any other."""
    text, least = setting(name, default), _LEAST.get(name, 0)
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        refuse(f"FUZZ_{name.upper()} is {text!r}: give a whole number from {least}")
    return int(text)


def selected(way: str) -> list[tuple[str, str]]:
    """Return kind and value of each `include` or `exclude`; refuse one of another shape."""
    pairs = []
    for line in filter(None, setting(way).splitlines()):
        kind, _, value = line.partition("=")
        if kind not in KINDS or not value:
            refuse(f"--{way} {line}: give id=VALUE, tag=VALUE or method=VALUE")
        pairs.append((kind, value))
    return pairs


def is_selected(operation_id: str, tags: Sequence[str], method: str) -> bool:
    """Tell whether an operation is to be fuzzed: what is excluded is not, whatever includes it."""
    has = {("id", operation_id), ("method", method.upper()), *(("tag", tag) for tag in tags)}

    def named(way: str) -> bool:
        pairs = selected(way)
        return any((k, v.upper() if k == "method" else v) in has for k, v in pairs)

    return (named("include") or not selected("include")) and not named("exclude")


CLIENT, URL = setting("client"), setting("url")
RULES = setting("rules")
TESTS = setting("tests").split()
EXAMPLES = number("examples", 12)
SEED = number("seed", 1)
