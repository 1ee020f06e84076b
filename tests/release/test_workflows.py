"""Actions are pinned, and nothing else can touch what a workflow signs and publishes."""

import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def before(job: str, known: dict[str, Any]) -> set[str]:
    """Name the jobs that must succeed before this one."""
    needed = known[job].get("needs", [])
    needed = {needed} if isinstance(needed, str) else {*needed}
    return needed.union(*(before(each, known) for each in needed))


@pytest.mark.parametrize("name", [path.name for path in WORKFLOWS])
def test_a_job_that_may_write_runs_no_code_of_the_repository(name: str) -> None:
    known = jobs(name)
    writing = [job for job in known if "write" in known[job].get("permissions", {}).values()]
    assert bool(writing) == (name == "release.yml")
    for job in writing:
        actions = [step.get("uses", "").partition("@")[0] for step in known[job]["steps"]]
        assert actions[0] == "actions/download-artifact"
        assert "actions/checkout" not in actions
        assert {"gate", "build"} <= before(job, known)


def test_what_is_published_was_built_by_a_job_that_ran_nothing_else() -> None:
    known = jobs("release.yml")
    uploading = [
        job
        for job, does in known.items()
        if any("actions/upload-artifact" in step.get("uses", "") for step in does["steps"])
    ]
    assert uploading == ["build"]
    assert [step["run"] for step in known["build"]["steps"] if "run" in step] == ["make build"]
    assert "gate" in before("build", known)


def test_every_action_is_pinned_by_one_commit_also_on_the_page_about_fuzzing() -> None:
    texts = [path.read_text("utf-8") for path in (*WORKFLOWS, ROOT / "docs" / "fuzzing.md")]
    pins = [
        re.findall(r"uses: (\S+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$", text, re.M) for text in texts
    ]
    assert list(map(len, pins)) == [text.count("uses:") for text in texts]
    used = {pin for found in pins for pin in found}
    assert len(used) == len(dict(used)), "two commits of one action: take the newer one everywhere"
