"""`make diff`: its report, the version that it requires, and the base that it compares with."""

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import signalwire_compat

from contract_diff import __main__ as diff
from contract_diff import recording
from contract_diff.checkouts import Tree
from contract_diff.example_calls import cases
from contract_diff.operations import changes
from contract_diff.report import compare
from scripts import release
from tests.codegen.project import replace
from tests.diff.conftest import EditContract, Run, git
from tests.edits.helpers import GONE, PATH, TEXT, Edit, both, change, find, parameter

MODULES = "generated/signalwire_compat"
WITHOUT_A_FIELD = change("fields", VoiceFallbackUrl=GONE)
WITH_A_MEMBER = change("members", new=TEXT)


def test_several_changes_have_the_order_of_the_document(contract: dict[str, Any]) -> None:
    names = ["gamma", "alpha", "zeta", "beta", "eta", "delta"]
    new = copy.deepcopy(contract)
    new["paths"] |= {
        f"/{name}": {"post": {**find(contract, "purchase"), "operationId": name}} for name in names
    }
    find(new, "purchase")["parameters"] += [parameter(name) for name in names]
    find(new, "fields").update({f"In_{name}": TEXT for name in names})
    replies = find(new, "responses")
    replies.update({f"5{number}0": replies["422"] for number in (3, 1, 2)})
    places = [
        *(f"phone_numbers.{name}" for name in names),
        *(f"phone_numbers.purchase: {name}" for name in names),
        *(f"phone_numbers.purchase: In_{name}" for name in names),
        *(f"phone_numbers.purchase: reply 5{number}0" for number in (3, 1, 2)),
    ]
    assert [change.where for change in changes(contract, new)] == places
    assert [change.where for change in changes(new, contract)] == places


def test_no_change_requires_no_version(repository: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "contract_diff"], check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    for part in ("Nothing.", "Nothing that breaks.", "The same bytes.", "Changed: nothing."):
        assert part in result.stdout
    assert "Required: 0.1.0 or higher." in result.stdout
    assert (repository / "reports" / "diff.md").read_text("utf-8") == result.stdout


def test_a_breaking_change_needs_a_version_and_an_entry(
    repository: Path, edit_contract: EditContract, run: Run
) -> None:
    edit_contract(WITHOUT_A_FIELD)
    result = run(diff)
    assert result.status == 1
    for part in (
        "**breaking**: phone_numbers.purchase: VoiceFallbackUrl: removed: the argument is gone",
        "PhoneNumbers.purchase: Parameter was removed",
        "This change breaks callers: run `make release VERSION=0.2.0` or higher.",
    ):
        assert part in result.out
    replace(repository / "pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    result = run(diff)
    assert result.status == 1
    assert "CHANGELOG.md has no entry for 0.2.0: add `## 0.2.0`" in result.out
    replace(repository / "CHANGELOG.md", "## 0.1.0", "## 0.2.0\n\n- One.\n\n## 0.1.0")
    assert run(diff).status == 0


def test_a_version_above_1_follows_its_own_rules(
    repository: Path, edit_contract: EditContract
) -> None:
    base = repository.parent / "base"
    shutil.copytree(repository, base, ignore=shutil.ignore_patterns(".git"))
    for folder in (base, repository):
        replace(folder / "pyproject.toml", 'version = "0.1.0"', 'version = "1.2.3"')
    for edit, needed in ((WITH_A_MEMBER, (1, 3, 0)), (WITHOUT_A_FIELD, (2, 0, 0))):
        edit_contract(edit)
        assert compare(Tree(base), Tree(repository)).needed == needed


@pytest.mark.parametrize("edit", [lambda d: None, WITH_A_MEMBER], ids=["alone", "beside-another"])
def test_a_json_body_in_place_of_a_form_breaks_beside_any_other_change(
    repository: Path, edit_contract: EditContract, run: Run, edit: Edit
) -> None:
    edit_contract(edit)
    module = repository / f"{MODULES}/api/phone_numbers/purchase.py"
    replace(module, "content=_encoding.urlencoded(_form).encode()", "content=repr(_form).encode()")
    result = run(diff)
    assert result.status == 1
    assert "- **breaking**" not in result.out.partition("## On the wire")[0]
    wire_lines = [line for line in result.out.splitlines() if ": body: " in line]
    assert len(wire_lines) >= 2
    assert all(line.startswith("- **breaking**: phone_numbers.purchase, ") for line in wire_lines)
    # Several cases send the same body: that is reported once.
    assert len({line.partition(": sent: ")[2] for line in wire_lines}) == len(wire_lines)
    assert "VERSION=0.2.0`" in result.out


@pytest.mark.parametrize(
    ("url", "base"), [("https://x.example.com", ""), ("/v2/{space}/", "/v2/your-space")]
)
def test_another_path_of_the_server_is_not_a_fault_of_the_client(
    run: Run, edit_contract: EditContract, url: str, base: str
) -> None:
    edit_contract(lambda d: d["servers"][0].update(url=url))
    result = run(diff)
    assert "compatible: servers: changed: https://your-space.signalwire.com/api/laml" in result.out
    lines = [line for line in result.out.splitlines() if ": sent: " in line]
    assert all(line.startswith("- as the contract says: ") for line in lines)
    (line,) = (line for line in lines if "phone_numbers.purchase, page, 201 purchased" in line)
    path = f"{base}/Accounts/b3877c40-da60-4998-90ad-b792e98472ac/IncomingPhoneNumbers"
    assert line.endswith(f'became "POST {path}" (and 5 more like it)')
    assert "VERSION=0.1.1`" in result.out


def test_an_error_in_another_content_type_breaks_nothing(
    run: Run, edit_contract: EditContract
) -> None:
    media = {"schema": {"type": "string"}, "example": "Gone."}
    gone = {"description": "It is gone.", "content": {"text/plain": media}}
    edit_contract(change("responses", **{"404": gone}))
    result = run(diff)
    assert "**breaking**" not in result.out
    assert re.search(r"^- as the contract says: .*: headers: accept: ", result.out, re.MULTILINE)
    assert "VERSION=0.1.1`" in result.out


def test_a_removed_operation_is_reported_in_one_line_for_each_client(
    edit_contract: EditContract, run: Run
) -> None:
    edit_contract(change("purchase", operationId="buy"))
    lines = run(diff).out.partition("## On the wire\n\n")[2].partition("\n\n")[0]
    calls = re.findall(r"^- .* \((a?sync)\): result: the call raises Attr.*$", lines, re.MULTILINE)
    assert calls == ["sync", "async"]
    assert len(lines.splitlines()) == 2


@pytest.mark.parametrize(
    ("module", "old", "new", "reported"),
    [
        ("__init__", '    "RateLimitError",\n', "", "RateLimitError: Public object was removed"),
        (
            "models/__init__",
            "    from .capabilities import Capabilities\n",
            "",
            "models.Capabilities: Public object was removed",
        ),
        (
            "_client",
            "def with_timeout(",
            "def _with(",
            "RestClient.with_timeout: Public",
        ),
        (
            "api/phone_numbers/__init__",
            "    PageToken: str | None\n",
            "",
            "api.phone_numbers.ListOptions.PageToken: Public object was removed",
        ),
        (
            "_pages",
            "    def next_page(self: Sync)",
            "    def after(self: Sync)",
            "api.phone_numbers.list_.ListPage.next_page: Public",
        ),
    ],
)
def test_a_public_name_that_is_gone_breaks(
    repository: Path, run: Run, module: str, old: str, new: str, reported: str
) -> None:
    replace(repository / f"{MODULES}/{module}.py", old, new)
    result = run(diff)
    assert result.status == 1
    assert f"- **breaking**: {reported}" in result.out


def test_a_list_that_leads_to_no_further_pages_breaks_its_callers(
    edit_contract: EditContract, run: Run
) -> None:
    imported = PATH.replace("Incoming", "Imported")
    places = ("responses 201", f"paths {imported} post responses 201")
    unlinked = (change(place, links=GONE) for place in places)
    edit_contract(both(change(f"paths {PATH} get", **{"x-pages": GONE}), *unlinked))
    result = run(diff)
    assert result.status == 1
    for part in (
        "phone_numbers.list: pages: removed: the result no longer leads to the next page",
        "phone_numbers.purchase: look-up: removed: how the client finds out what became of a call",
        "api.phone_numbers.list_.ListPage: Public object was removed",
    ):
        assert f"- **breaking**: {part}" in result.out
    assert "- as the contract says: phone_numbers.list, no body, 200 example (sync): " in result.out


def test_a_private_module_can_be_renamed(repository: Path, run: Run) -> None:
    package = Tree(repository).package
    (package / "_errors.py").rename(package / "_exceptions.py")
    for file in package.rglob("*.py"):
        text = file.read_text("utf-8")
        file.write_text(re.sub(r"\b_errors\b", "_exceptions", text), "utf-8")
    result = run(diff)
    assert "**breaking**" not in result.out
    assert "Required: 0.1.1 or higher." in result.out


def test_the_base_is_the_last_release_or_the_one_named(
    edit_contract: EditContract, run: Run
) -> None:
    git("tag", "v0.1.0")
    edit_contract(WITH_A_MEMBER)
    git("commit", "--quiet", "--all", "--message=next")
    assert run(diff).out.startswith("# Changes since v0.1.0\n")
    assert run(diff, "--base", "HEAD").status == 0
    wrong = run(diff, "--base", "nowhere")
    assert wrong.status == 1
    assert wrong.err.startswith("BASE=nowhere can't be compared with (")
    assert len(wrong.err.splitlines()) == 1


def test_a_comparison_with_itself_says_so(
    repository: Path, edit_contract: EditContract, run: Run
) -> None:
    edit_contract(WITH_A_MEMBER)
    assert "is checked out" not in run(diff).out
    git("commit", "--quiet", "--all", "--message=next")
    assert "main is checked out, and no edit since would be seen by callers.\n`make diff" in (
        run(diff).out
    )
    history = (repository / "CHANGELOG.md").read_text("utf-8")
    refused = run(release, "0.1.1")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("There is no earlier state to draft section 0.1.1 from: set BASE")
    assert (repository / "CHANGELOG.md").read_text("utf-8") == history
    assert run(release, "0.1.1", "HEAD~1") == (0, "", "")
    assert "reply 201: new: added" in (repository / "CHANGELOG.md").read_text("utf-8")


def test_a_shallow_clone_warns_that_releases_may_be_missing(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = repository.parent / "clone"
    git("clone", "--quiet", "--no-tags", "--depth=1", f"file://{repository}", str(clone))
    monkeypatch.chdir(clone)
    result = run(diff)
    assert (result.status, result.out.splitlines()[0]) == (0, "# Changes since origin/main")
    assert "run `git fetch --unshallow --tags`" in result.err


def test_without_a_repository_or_git_nothing_is_compared(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(repository / ".git")
    assert run(diff) == (0, "There is no main branch or release here to compare with.\n", "")
    monkeypatch.setenv("PATH", str(repository))
    refused = (1, "", "git is needed to compare with another state: install it\n")
    assert run(diff) == refused


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("openapi.yaml", "openapi:", "openapi :", "(changed: spec): run `make generate` first"),
        ("pyproject.toml", '"0.1.0"', '"0.2.0rc1"', "0.2.0rc1 is not a version: write it as 1.2.3"),
        ("pyproject.toml", '"0.1.0"', '"0.2"', "0.2 is not a version: write it as 1.2.3"),
        ("pyproject.toml", '"0.1.0"', "2", "2 is not a version: write it as 1.2.3"),
        ("pyproject.toml", '"0.1.0"', '"0.2.0', "pyproject.toml of this tree has no version: "),
        (f"{MODULES}/_encoding.py", "import json", "import jsno", "No module named 'jsno'"),
    ],
)
def test_a_tree_that_can_not_be_compared_is_reported_in_one_line(
    repository: Path, run: Run, file: str, old: str, new: str, message: str
) -> None:
    replace(repository / file, old, new)
    project = (repository / "pyproject.toml").read_text("utf-8")
    for tool, arguments in ((diff, ()), (release, ("0.2.0",))):
        result = run(tool, *arguments)
        assert (result.status, result.out) == (1, "")
        assert message in result.err
        assert len(result.err.splitlines()) == 1
    assert (repository / "pyproject.toml").read_text("utf-8") == project


def test_every_example_of_the_contract_is_played(contract: dict[str, Any]) -> None:
    played = cases(contract)
    recorded = recording.record(signalwire_compat, played)
    assert len(recorded) == len(played) >= 5
    release = recorded["phone_numbers.delete, no body, 204 nothing"]
    assert release["sync"]["result"] == {"type": "NoneType", "value": "None"}
    for case in played:
        both = recorded[case["name"]]
        assert both["sync"] == both["async"]
        assert len(both["sync"]["sent"]) == 1
        assert ("value" in both["sync"]["result"]) is (case["status"] < 300)
