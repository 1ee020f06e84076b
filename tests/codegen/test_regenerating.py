"""docs/regenerating.md: each of its commands is run, and prints what stands there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "regenerating.md").read_text("utf-8")
STEPS = re.findall(r"^```(diff|console)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# The release of the page is the second one, whatever the project has come to.
FIRST = "0.1.0"
SETTINGS = {
    # The whole gate runs these tests; that it is the gate of a release has a test of its own.
    "GATE": "diff",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.com",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.com",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a repository of the project, whose tools are those of this environment."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", ".ci/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tests" / "contract").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "contract" / "purchase_page.csv", tmp_path / "tests" / "contract")
    project, changelog = tmp_path / "pyproject.toml", tmp_path / "CHANGELOG.md"
    text = project.read_text("utf-8").replace(f'"{version}"', f'"{FIRST}"', 1)
    project.write_text(text, "utf-8")
    text = changelog.read_text("utf-8").partition("\n## ")[0]
    changelog.write_text(f"{text}\n## {FIRST}\n", "utf-8")
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("check-wheel-contents", "python", "ruff", "twine", "yamllint"):
        real = Path(sys.executable).with_name(name)
        # Whatever is edited on the page, nothing is installed.
        (tools / name).write_text(f'#!/bin/sh\n[ "$2" = pip ] || exec {real} "$@"\n')
        (tools / name).chmod(0o755)
    for name in (".locked", ".ready"):
        (tmp_path / ".venv" / name).touch()
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
    """Run a command of the page, and give what a reader sees of it."""
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
    """Take a block of the page apart: each command, and what it prints."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def as_pattern(shown: str) -> str:
    """Make a pattern of what the page shows: `...` stands for any lines."""
    lines = (re.escape(f"{line}\n") for line in shown.splitlines())
    return "".join(r"(?:.*\n)*?" if line == re.escape("...\n") else line for line in lines)


def test_every_step_of_the_page_prints_what_stands_there(checkout: Path) -> None:
    seen = []
    for kind, block in STEPS:
        if kind == "diff":
            said = run("git apply .build/patch", checkout)
            assert said == "", f"docs/regenerating.md: mend the diff, which does not fit:\n{said}"
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


def test_a_release_says_last_what_is_left_to_do(tmp_path: Path) -> None:
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tmp_path / "mock_server").mkdir()
    inputs = ("requirements-dev.lock", "pyproject.toml", "mock_server/pyproject.toml")
    for name in ("Makefile", *inputs):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("python", "twine", "check-wheel-contents"):
        (tools / name).write_text("#!/bin/sh\n", "utf-8")
        (tools / name).chmod(0o755)
    for name in (".locked", ".ready"):
        (tmp_path / ".venv" / name).touch()
    done = run("make release VERSION=0.2.0 GATE=help", tmp_path).splitlines()
    assert "list the targets" in done[1]
    assert done[-1] == "0.2.0 is ready. Look at CHANGELOG.md, then commit and tag: v0.2.0"
    said = run("make release VERSION=0.2.0 GATE=nothing", tmp_path)
    assert "No rule to make target 'nothing'" in said
    assert "0.2.0 is ready" not in said
    assert "0.2.0 is not ready, and nothing is committed." in said
