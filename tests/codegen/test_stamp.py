"""The record of what a package was generated from."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from codegen import stamp
from tests.codegen.project import PACKAGE, SPEC, copy_inputs
from tests.conftest import ROOT
from tests.diff.conftest import commit_all, git


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("codegen/content_types.py", "codegen"),
        ("codegen/templates/model.py.jinja", "codegen"),
        ("runtime/_values.py", "runtime"),
        ("generator-config.yml", "generator-config.yml"),
        ("openapi.yaml", "spec"),
    ],
)
def test_a_change_of_a_file_that_shapes_the_package_is_noticed(
    tmp_path: Path, name: str, changed: str
) -> None:
    copy_inputs(tmp_path)
    assert stamp.stale(tmp_path, PACKAGE) == []
    (tmp_path / name).write_text((tmp_path / name).read_text("utf-8") + "\n", "utf-8")
    assert stamp.stale(tmp_path, PACKAGE) == [changed]


def test_the_drift_check_says_which_of_the_inputs_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "openapi.yaml"
    spec.write_text(SPEC.read_text("utf-8") + "# One comment more.\n", "utf-8")
    (tmp_path / stamp.NAME).write_text(stamp.record(spec), "utf-8")
    assert stamp.main([str(PACKAGE), str(tmp_path)]) == 1
    old, new = (hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in (SPEC, spec))
    assert f"writes: spec: sha256:{old} became sha256:{new}.\n" in capsys.readouterr().err
    assert str(tmp_path) not in stamp.record(spec)
    assert {"openapi-python-client", "ruff"} < stamp.inputs(spec).keys()


def test_two_branches_that_regenerate_merge_and_must_regenerate_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "generated" / "signalwire_compat" / stamp.NAME
    file.parent.mkdir(parents=True)
    shutil.copy(PACKAGE / stamp.NAME, file)
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    monkeypatch.chdir(tmp_path)
    commit_all()
    git("branch", "other")
    for branch in ("main", "other"):
        git("switch", "--quiet", branch)
        text = re.sub("^spec .*", f"spec sha256:{branch}", file.read_text("utf-8"), flags=re.M)
        file.write_text(text, "utf-8")
        git("commit", "--quiet", "--all", "--message=next")
    git("merge", "--quiet", "main")
    (line,) = stamp.changed_inputs(file.parent, PACKAGE)
    assert line.startswith("spec: sha256:other and sha256:main became sha256:")
