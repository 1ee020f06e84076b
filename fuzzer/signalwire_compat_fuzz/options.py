"""What a run is asked to do.

Each setting is the variable FUZZ_NAME, else `name` in the table [tool.signalwire-compat-fuzz] of
the pyproject.toml in the current folder, else a default. The command sets the variables.
"""

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

_PYPROJECT = Path("pyproject.toml")
_TABLE: dict[str, Any] = (
    tomllib.loads(_PYPROJECT.read_text("utf-8")).get("tool", {}).get("signalwire-compat-fuzz", {})
    if _PYPROJECT.is_file()
    else {}
)


def setting(name: str, default: object = "") -> str:
    return os.environ.get(f"FUZZ_{name.upper()}") or str(_TABLE.get(name, default))


def number(name: str, default: int) -> int:
    """Return a setting that is a whole number. Errors: `SystemExit`, with what to give."""
    text = setting(name, default)
    if not (text.isascii() and text.isdecimal()):
        sys.exit(f"FUZZ_{name.upper()} is {text!r}: give a whole number, such as 1")
    return int(text)


SPEC = Path(setting("spec", "openapi.yaml"))
CLIENT = setting("client")
RULES = setting("rules")
TESTS = setting("tests").split()
EXAMPLES = number("examples", 12)
SEED = number("seed", 1)
