"""`make try-generator`: tries another generator and leaves the checkout as it is."""

import shutil
from pathlib import Path

import pytest

from scripts import try_generator
from tests.codegen.test_templates import OVERRIDES, UPSTREAM


def test_what_upstream_changed_in_an_overridden_template_is_printed(tmp_path: Path) -> None:
    new = tmp_path / "templates"
    shutil.copytree(UPSTREAM, new)
    assert list(try_generator.template_changes(UPSTREAM, new)) == []
    (new / "model.py.jinja").write_text("{# new #}\n", "utf-8")
    (new / "setup.py.jinja").write_text("{# new #}\n", "utf-8")
    (new / "api_init.py.jinja").unlink()
    printed = "".join(try_generator.template_changes(UPSTREAM, new))
    assert "+++ new/model.py.jinja\n" in printed
    assert "\n+{# new #}\n" in printed
    assert "api_init.py.jinja is gone upstream: look for what replaced it.\n" in printed
    assert "setup.py.jinja" not in OVERRIDES
    assert "setup.py.jinja" not in printed


@pytest.mark.parametrize("wanted", ["", "latest", "0.30.0; rm"])
def test_a_wrong_version_is_refused_before_anything_is_installed(
    capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    assert try_generator.main([wanted]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"VERSION={wanted} is not a version: write it as 0.30.0\n"
