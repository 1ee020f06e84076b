"""The overrides in codegen/templates/: each replaces a known upstream file for a stated reason."""

import hashlib
import re
import tempfile
from importlib.metadata import version
from pathlib import Path

import openapi_python_client
import pytest
import yaml
from jinja2 import meta
from openapi_python_client import Project
from openapi_python_client.config import ConfigFile
from openapi_python_client.parser import GeneratorData

from codegen import generate
from tests.conftest import ROOT

UPSTREAM = Path(openapi_python_client.__file__).parent / "templates"
TEMPLATES = ROOT / "codegen" / "templates"
OVERRIDES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.jinja"))
# What the generator hands to a template when it renders it, besides the globals of Project.
RENDERED_WITH = {
    "api_init.py.jinja": set(),
    "client.py.jinja": set(),
    "errors.py.jinja": set(),
    "endpoint_init.py.jinja": {"endpoint_collection"},
    "endpoint_module.py.jinja": {"endpoint"},
    "helpers.jinja": set(),
    "literal_enum.py.jinja": {"enum"},
    "model.py.jinja": {"model"},
    "models_init.py.jinja": {"alls", "imports"},
}


@pytest.fixture(scope="module")
def project() -> Project:
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        config = generate.settings(ROOT / "openapi.yaml", Path(folder) / "package")
    data = GeneratorData.from_dict(document, config=config)
    assert isinstance(data, GeneratorData)
    return generate.prepared(document, data, config)


@pytest.mark.parametrize("name", OVERRIDES)
def test_each_override_says_what_it_overrides_and_why(name: str) -> None:
    text = (TEMPLATES / name).read_text("utf-8")
    found = re.match(
        r"\{# override of (\S+)\n   upstream: (\S+) sha256:([0-9a-f]{12})\n   why: .{40,}?#\}",
        text,
        re.DOTALL,
    )
    assert found, f"{name} must begin with its override, upstream and why"
    digest = hashlib.sha256((UPSTREAM / name).read_bytes()).hexdigest()[:12]
    assert found.groups() == (name, version("openapi-python-client"), digest)


@pytest.mark.parametrize("name", OVERRIDES)
def test_every_variable_of_an_override_is_set(name: str, project: Project) -> None:
    source = (TEMPLATES / name).read_text("utf-8")
    read = meta.find_undeclared_variables(project.env.parse(source))
    assert read <= RENDERED_WITH[name] | set(project.env.globals)


def test_no_template_or_runtime_module_names_an_operation() -> None:
    words = {"purchase", "phone_numbers", "PhoneNumber", "IncomingPhoneNumber"}
    assert all(word in (ROOT / "openapi.yaml").read_text("utf-8") for word in words)
    modules = list((ROOT / "runtime").glob("*.py"))
    assert modules
    for file in (*(TEMPLATES / name for name in OVERRIDES), *modules):
        text = file.read_text("utf-8").lower()
        assert not [word for word in words if word.lower() in text], file


def test_every_setting_is_one_that_the_generator_knows() -> None:
    settings = yaml.safe_load((ROOT / "generator-config.yml").read_text("utf-8"))
    assert set(settings) <= {*ConfigFile.model_fields, "names"}


def test_the_generator_and_the_formatter_are_pinned_exactly() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'"openapi-python-client=={version("openapi-python-client")}"' in text
    assert set(re.findall(r'"ruff([^"]*)"', text)) == {f"=={version('ruff')}"}
