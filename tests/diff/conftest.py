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
from contract_diff.checkouts import Tree
from tests.codegen.project import copy_inputs, make_first
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


def commit_all(folder: Path | None = None) -> None:
    """Make a repository whose main branch holds a folder."""
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message=base", folder=folder)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose main branch holds the project, with 0.1.0 as its only version."""
    folder = tmp_path_factory.mktemp("prepared") / "project"
    copy_inputs(folder)
    make_first(folder)
    commit_all(folder)
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
