"""Copies of the project that may be spoilt, and fuzz runs in them."""

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import yaml

from tests.conftest import run

SECOND = Path(__file__).with_name("second_operation.yaml")
_UNCHECKED = """
import pathlib, sys, yaml
from codegen import generate
generate.load = lambda path: yaml.safe_load(path.read_text("utf-8"))
sys.exit(generate.main([]))
"""


def edit_document(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    spec = folder / "openapi.yaml"
    document = yaml.safe_load(spec.read_text("utf-8"))
    edit(document)
    spec.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


def add_second_operation(document: dict[str, Any]) -> None:
    """Add to a document an operation with all that a purchase lacks."""
    added = yaml.safe_load(SECOND.read_text("utf-8"))
    document["paths"].update(added["paths"])
    for kind, parts in added["components"].items():
        document["components"].setdefault(kind, {}).update(parts)


def generate(folder: Path, *, checked: bool = True) -> None:
    """Generate the package of a copy again. Unless `checked`, a wrong document is accepted.

    Errors: `CalledProcessError` if that fails.
    """
    how = ("-m", "codegen.generate") if checked else ("-c", _UNCHECKED)
    run(sys.executable, *how, cwd=folder).check_returncode()


def run_python(folder: Path, *command: str, **settings: str) -> CompletedProcess[str]:
    """Run Python in a copy, with the packages of the copy and a single process for the tests."""
    settings["PYTHONPATH"] = f"{folder / 'generated'}:{folder / 'mock_server'}:{folder / 'fuzzer'}"
    settings["PYTEST_XDIST_AUTO_NUM_WORKERS"] = "0"
    return run(sys.executable, *command, cwd=folder, **settings)
