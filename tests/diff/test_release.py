"""`make release`: it writes a version that is high enough, and drafts the changelog."""

import re
from pathlib import Path

from contract_diff import __main__ as diff
from scripts import release
from tests.codegen.project import replace
from tests.diff.conftest import EditContract, Run, git
from tests.edits.helpers import GONE, change

WITHOUT_A_FIELD = change("fields", VoiceFallbackUrl=GONE)


def test_a_release_bumps_version_and_changelog(
    repository: Path, edit_contract: EditContract, run: Run
) -> None:
    edit_contract(WITHOUT_A_FIELD)
    project = repository / "pyproject.toml"
    for version, problem in (
        ("", "VERSION= is not a version"),
        ("1.2", "VERSION=1.2 is not a version"),
        ("v0.2.0", "VERSION=v0.2.0 is not a version"),
        ("0.2.0rc1", "VERSION=0.2.0rc1 is not a version"),
        ("0.1.9", "VERSION=0.1.9 is too low for these changes: use 0.2.0 or higher"),
    ):
        before = project.read_text("utf-8")
        refused = run(release, version)
        assert (refused.status, refused.out) == (1, "")
        assert refused.err.startswith(problem)
        assert project.read_text("utf-8") == before
    assert run(release, "0.2.0") == (0, "", "")
    for file in (project, repository / "mock_server" / "pyproject.toml"):
        assert 'version = "0.2.0"' in file.read_text("utf-8")
    changelog = (repository / "CHANGELOG.md").read_text("utf-8")
    draft = "- api: phone_numbers.purchase: VoiceFallbackUrl: removed: the argument is gone.\n"
    assert f"## 0.2.0\n\n### Breaking\n\n{draft}\n## 0.1.0" in changelog
    assert run(diff).status == 0
    git("tag", "v0.2.0")
    assert "is already released" in run(release, "0.2.0").err


def test_a_section_that_was_never_released_becomes_that_of_the_next_version(
    repository: Path, edit_contract: EditContract, run: Run
) -> None:
    git("tag", "v0.1.0")
    edit_contract(WITHOUT_A_FIELD)
    file = repository / "CHANGELOG.md"
    assert run(release, "0.2.0").out == ""
    replace(file, "- api: ", "- api: (in the words of a caller) ")
    draft = file.read_text("utf-8")
    assert run(release, "0.2.0").out.startswith("CHANGELOG.md keeps its section 0.2.0: ")
    assert file.read_text("utf-8") == draft
    note = "Section 0.2.0 was never released and is now 0.3.0: "
    assert run(release, "0.3.0").out.startswith(note)
    assert file.read_text("utf-8") == draft.replace("## 0.2.0", "## 0.3.0", 1)
    git("commit", "--quiet", "--all", "--message=release")
    git("tag", "v0.3.0")
    assert run(release, "0.3.1").out == ""
    section = "\n## 0.3.1\n\n### Changed\n\n- Nothing for callers.\n\n## 0.3.0\n"
    assert section in file.read_text("utf-8")
    # A tag makes a release, on any branch.
    replace(file, "## 0.3.1", "## 0.4.0")
    git("tag", "v0.4.0")
    assert run(release, "0.4.1").out == ""
    versions = re.findall(r"^## (.*)$", file.read_text("utf-8"), re.MULTILINE)
    assert versions[:3] == ["0.4.1", "0.4.0", "0.3.0"]


def test_a_release_drafts_a_line_for_a_python_name_that_is_gone(repository: Path, run: Run) -> None:
    replace(repository / "generated/signalwire_compat/__init__.py", '    "RateLimitError",\n', "")
    assert run(release, "0.2.0") == (0, "", "")
    draft = "### Breaking\n\n- client: RateLimitError: Public object was removed.\n"
    assert f"## 0.2.0\n\n{draft}" in (repository / "CHANGELOG.md").read_text("utf-8")
