"""docs/regenerating.md: each of its commands prints what the page shows."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.try_generator import copy_project
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "regenerating.md").read_text("utf-8")
STEPS = re.findall(r"^```(diff|console)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# The page shows the release after the first, whatever the current version is.
FIRST = "0.1.0"
SETTINGS = {
    # The gate itself runs these tests. Another test checks which gate a release runs.
    "GATE": "diff",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.com",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.com",
}


def stub_tools(folder: Path, script: str) -> None:
    """Make a .venv whose tools are the script; {tool} is the tool of this environment."""
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("check-wheel-contents", "python", "ruff", "twine", "yamllint"):
        tool = Path(sys.executable).with_name(name)
        (tools / name).write_text(f"#!/bin/sh\n{script.format(tool=tool)}\n")
        (tools / name).chmod(0o755)
    for name in (".locked", ".ready"):
        (folder / ".venv" / name).touch()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a repository of the project, with the tools of this environment."""
    copy_project(tmp_path)
    project, changelog = tmp_path / "pyproject.toml", tmp_path / "CHANGELOG.md"
    text = project.read_text("utf-8")
    version = tomllib.loads(text)["project"]["version"]
    project.write_text(text.replace(f'"{version}"', f'"{FIRST}"', 1), "utf-8")
    text = changelog.read_text("utf-8").partition("\n## ")[0]
    changelog.write_text(f"{text}\n## {FIRST}\n", "utf-8")
    # Nothing is installed, whatever the page edits.
    stub_tools(tmp_path, '[ "$2" = pip ] || exec {tool} "$@"')
    run("git init --quiet --initial-branch=main", tmp_path)
    (tmp_path / ".build").mkdir()
    diffs = "".join(block for kind, block in STEPS if kind == "diff")
    (tmp_path / ".build" / "patch").write_text(diffs, "utf-8")
    # The page begins without its change, also in a project that has made it.
    run("git apply --reverse .build/patch", tmp_path)
    run("make generate", tmp_path)
    run("git add --all && git commit --quiet --message=base", tmp_path)
    run("git update-ref refs/remotes/origin/main HEAD", tmp_path)
    return tmp_path


def run(command: str, folder: Path) -> str:
    """Run a command of the page and return its output."""
    outside = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "BASE", "VERSION"}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key not in outside} | SETTINGS,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return re.sub(r"Makefile:\d+", "Makefile:81", done.stdout)


def commands(block: str) -> list[tuple[str, str]]:
    """Split a block of the page into commands, each with its output."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def as_pattern(shown: str) -> str:
    """Make a pattern of the output on the page: `...` stands for any lines."""
    lines = (re.escape(f"{line}\n") for line in shown.splitlines())
    return "".join(r"(?:.*\n)*?" if line == re.escape("...\n") else line for line in lines)


@pytest.mark.slow
def test_every_step_of_the_page_prints_what_the_page_shows(checkout: Path) -> None:
    seen = []
    for kind, block in STEPS:
        if kind == "diff":
            output = run("git apply .build/patch", checkout)
            assert output == "", (
                f"docs/regenerating.md: correct the diff, which does not apply:\n{output}"
            )
            continue
        for command, shown in commands(block):
            printed = run(command, checkout)
            seen.append(command.partition(" VERSION")[0])
            assert re.fullmatch(as_pattern(shown), printed), f"$ {command}\n{printed}"
    wanted = ["make lint", "make generate", "make diff", "make release"]
    assert [command for command in seen if command in wanted] == [*wanted, "make diff"]


def test_the_gate_of_a_release_is_the_gate_of_a_merge() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "\nGATE ?= ci\n" in makefile
    assert "generate $(GATE) build || {" in makefile


def test_a_release_ends_with_what_is_left_to_do(tmp_path: Path) -> None:
    (tmp_path / "mock_server").mkdir()
    inputs = ("requirements-dev.lock", "pyproject.toml", "mock_server/pyproject.toml")
    for name in ("Makefile", *inputs):
        shutil.copy(ROOT / name, tmp_path / name)
    stub_tools(tmp_path, "")
    done = run("make release VERSION=0.2.0 GATE=help", tmp_path).splitlines()
    assert "list the targets" in done[1]
    assert done[-1] == "0.2.0 is ready. Look at CHANGELOG.md, then commit and tag: v0.2.0"
    output = run("make release VERSION=0.2.0 GATE=nothing", tmp_path)
    assert "No rule to make target 'nothing'" in output
    assert "0.2.0 is ready" not in output
    assert "0.2.0 is not ready, and nothing is committed." in output
