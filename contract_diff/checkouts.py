"""Read a state of the project: the working tree, or a commit that git has."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from codegen.yaml_source import Source, SpecError

PACKAGE = "signalwire_compat"
Version = tuple[int, ...]


class DiffError(Exception):
    """Why nothing could be compared, in one line."""


class Tree(NamedTuple):
    """One state of the project, in a folder."""

    folder: Path
    name: str = "this tree"

    @property
    def contract(self) -> dict[str, Any]:
        """The parsed openapi.yaml."""
        try:
            document: dict[str, Any] = Source(self.folder / "openapi.yaml").data
        except SpecError as error:
            raise DiffError(f"the contract of {self.name} can't be read: {error}") from error
        return document

    @property
    def version(self) -> Version:
        """The version in pyproject.toml."""
        text = (self.folder / "pyproject.toml").read_text("utf-8")
        try:
            return parse_version(str(tomllib.loads(text)["project"]["version"]))
        except (KeyError, ValueError) as error:
            raise DiffError(f"pyproject.toml of {self.name} has no version: {error}") from error

    @property
    def package(self) -> Path:
        """The folder of the generated package."""
        return self.folder / "generated" / PACKAGE

    def read_package(self) -> dict[str, bytes]:
        """Read every module of the package."""
        files = (file for file in self.package.rglob("*.py") if "__pycache__" not in file.parts)
        return {str(file.relative_to(self.package)): file.read_bytes() for file in files}


def parse_version(version: str) -> Version:
    """Split a version into numbers. Errors: `ValueError`."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise ValueError(f"{version} is not a version: write it as 1.2.3")
    return tuple(map(int, version.split(".")))


def dotted(version: Version) -> str:
    """Write a version as text."""
    return ".".join(map(str, version))


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the current folder. Errors: `DiffError` where git is missing."""
    try:
        return subprocess.run(["git", *arguments], check=False, capture_output=True)  # noqa: S603, S607
    except OSError as error:
        raise DiffError("git is needed to compare with another state: install it") from error


def check_out(base: str, folder: Path) -> Tree:
    """Write a commit to a folder. Errors: `DiffError` if there is no such commit."""
    archived = git("archive", base, "openapi.yaml", "pyproject.toml", f"generated/{PACKAGE}")
    if archived.returncode:
        reason = archived.stderr.decode().strip().splitlines()[-1]
        raise DiffError(f"BASE={base} can't be compared with ({reason}): name a tag or branch")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return Tree(folder, base)


def default_base() -> str:
    """Name the last release, or else the main branch; empty outside a repository."""
    release = git("describe", "--tags", "--abbrev=0", "--match", "v*")
    if release.returncode == 0:
        return release.stdout.decode().strip()
    # What is committed on main but not pushed counts as a change since main.
    for name in ("origin/main", "main"):
        branch = git("rev-parse", "--verify", "--abbrev-ref", name)
        if branch.returncode == 0:
            if git("rev-parse", "--is-shallow-repository").stdout == b"true\n":
                todo = "to include releases, run `git fetch --unshallow --tags`"
                sys.stderr.write(f"This clone is shallow: {todo}.\n")
            return branch.stdout.decode().strip()
    return ""
