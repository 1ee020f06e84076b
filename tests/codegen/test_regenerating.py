"""docs/regenerating.md: each of its commands prints what the page shows."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.try_generator import copy_project
from tests.codegen.project import copy_inputs, make_first, stub_tools
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "regenerating.md").read_text("utf-8")
STEPS = re.findall(r"^```(diff|console)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SETTINGS = {
    # The gate itself runs these tests. Another test checks which gate a release runs.
    "GATE": "diff",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.com",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.com",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a repository of the project, with the tools of this environment."""
    copy_project(tmp_path)
    make_first(tmp_path)
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
    copy_inputs(tmp_path)
    stub_tools(tmp_path, "")
    done = run("make release VERSION=0.2.0 GATE=help", tmp_path).splitlines()
    assert "list the targets" in done[1]
    assert done[-1] == "0.2.0 is ready. Look at CHANGELOG.md, then commit and tag: v0.2.0"
    output = run("make release VERSION=0.2.0 GATE=nothing", tmp_path)
    assert "No rule to make target 'nothing'" in output
    assert "0.2.0 is ready" not in output
    assert "0.2.0 is not ready, and nothing is committed." in output
