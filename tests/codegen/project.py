"""Copies of the project, for tests that change it or run its commands."""

import shutil
import sys
from pathlib import Path

from contract_diff.checkouts import Tree, dotted
from tests.conftest import ROOT

PACKAGE = Tree(ROOT).package
SPEC = ROOT / "openapi.yaml"
FIRST = "0.1.0"
_FILES = ("Makefile", "generator-config.yml", "openapi.yaml", "requirements-dev.lock")
_EDITED = ("CHANGELOG.md", "pyproject.toml", "mock_server/pyproject.toml", "fuzzer/pyproject.toml")
_FOLDERS = ("codegen", "contract_diff", "generated", "runtime", "scripts")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def copy_inputs(folder: Path) -> None:
    """Copy what `make generate`, `make diff` and `make release` read and write."""
    for name in ("mock_server", "fuzzer"):
        (folder / name).mkdir(parents=True)
    for name in (*_FILES, *_EDITED):
        shutil.copy(ROOT / name, folder / name)
    ignored = shutil.ignore_patterns("__pycache__", ".new-*")
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)


def make_first(folder: Path) -> None:
    """Make 0.1.0 the only version of a copy."""
    changelog, *projects = (folder / name for name in _EDITED)
    for project in projects:
        replace(project, f'"{dotted(Tree(ROOT).version)}"', f'"{FIRST}"')
    history = changelog.read_text("utf-8").partition("\n## ")[0]
    changelog.write_text(f"{history}\n## {FIRST}\n", "utf-8")


def stub_tools(folder: Path, script: str = 'exec {tool} "$@"') -> None:
    """Make a .venv whose tools are the script; {tool} is the tool of this environment."""
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    names = "check-wheel-contents jactionlint python ruff twine yamllint zizmor"
    for name in names.split():
        tool = Path(sys.executable).with_name(name)
        (tools / name).write_text(f"#!/bin/sh\n{script.format(tool=tool)}\n")
        (tools / name).chmod(0o755)
    for name in (".locked", ".ready"):
        (folder / ".venv" / name).touch()
