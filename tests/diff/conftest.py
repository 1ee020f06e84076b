"""A repository of the project for each test, whose contract can be edited, and commands in it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from jinja2 import FileSystemBytecodeCache

from codegen import generate
from contract_diff.checkouts import Tree, dotted
from tests.conftest import ROOT
from tests.edits.generated_package import edited, write_spec
from tests.edits.helpers import Edit


class Ran(NamedTuple):
    """What a command left."""

    status: int
    out: str
    err: str


EditContract = Callable[[Edit], None]
Run = Callable[..., Ran]


def git(*arguments: str, folder: Path | None = None) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose main branch holds the project, with 0.1.0 as its only version."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("openapi.yaml", "pyproject.toml", "CHANGELOG.md", "generator-config.yml"):
        shutil.copy(ROOT / name, folder)
    (folder / "mock_server").mkdir()
    shutil.copy(ROOT / "mock_server" / "pyproject.toml", folder / "mock_server")
    ignored = shutil.ignore_patterns("__pycache__", ".new-*")
    for name in ("codegen", "contract_diff", "generated", "runtime", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for project in (folder, folder / "mock_server"):
        replace(project / "pyproject.toml", f'"{dotted(Tree(ROOT).version)}"', '"0.1.0"')
    history = (folder / "CHANGELOG.md").read_text("utf-8")
    (folder / "CHANGELOG.md").write_text(history.partition("\n## ")[0] + "\n## 0.1.0\n", "utf-8")
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message=base", folder=folder)
    return folder


@pytest.fixture
def repository(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test a repository of its own, and work in it."""
    folder = tmp_path / "repository"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command here: `run(diff, "--base", "HEAD")`."""

    def run(tool: Any, *arguments: str) -> Ran:
        capsys.readouterr()
        status = tool.main(list(arguments))
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture
def edit_contract(repository: Path, shared: Path) -> EditContract:
    """Edit the contract, and generate the package, unformatted."""
    cache = FileSystemBytecodeCache(str(shared))

    def edit_contract(edit: Edit) -> None:
        spec, package = repository / "openapi.yaml", Tree(repository).package
        write_spec(edited(edit, yaml.safe_load(spec.read_text("utf-8"))), spec)
        shutil.rmtree(package)
        generate.generate(spec, package, hooks=False, compiled=cache)

    return edit_contract
