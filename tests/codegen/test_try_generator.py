"""`make try-generator`: another generator is tried, and the checkout stays as it is."""

import shutil
from pathlib import Path

import pytest

from scripts import try_generator
from tests.codegen.test_templates import OVERRIDES, UPSTREAM


def test_what_upstream_changed_in_an_overridden_template_is_shown(tmp_path: Path) -> None:
    new = tmp_path / "templates"
    shutil.copytree(UPSTREAM, new)
    assert list(try_generator.template_changes(UPSTREAM, new)) == []
    (new / "model.py.jinja").write_text("{# new #}\n", "utf-8")
    (new / "setup.py.jinja").write_text("{# new #}\n", "utf-8")
    (new / "api_init.py.jinja").unlink()
    shown = "".join(try_generator.template_changes(UPSTREAM, new))
    assert "+++ new/model.py.jinja\n" in shown
    assert "\n+{# new #}\n" in shown
    assert "api_init.py.jinja is gone upstream: look for what replaced it.\n" in shown
    assert "setup.py.jinja" not in OVERRIDES
    assert "setup.py.jinja" not in shown


@pytest.mark.parametrize("wanted", ["", "latest", "0.30.0; rm"])
def test_what_is_no_version_is_refused_before_anything_is_made(
    capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    assert try_generator.main([wanted]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"VERSION={wanted} is no version: write it as 0.30.0\n"
