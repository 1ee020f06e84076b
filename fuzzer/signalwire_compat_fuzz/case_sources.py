"""How many cases are tried, with which seed, and the documents that they are drawn from.

In two of the documents the replies of the document are requests, so that schemathesis makes them.
"""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from schemathesis import APIOperation, BaseSchema, GenerationMode
from schemathesis.core.result import Ok

from . import case_corrections  # noqa: F401  # It corrects the cases of schemathesis.
from . import document as doc
from .document import DOCUMENT, JSON, Schema, json_schema, with_objects
from .options import SEED, spec_file

CONFIG = Path(__file__).with_name("schemathesis.toml")
Operation = APIOperation[Any, Any, Any, Any]
VALID, INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def config() -> schemathesis.Config:
    return schemathesis.Config.from_path(CONFIG)


def is_shrunk(file: Path) -> bool:
    """Tell whether failing cases are made simpler, by the settings of schemathesis in a file."""
    settings_ = tomllib.loads(file.read_text("utf-8"))
    return not settings_.get("generation", {}).get("no-shrink", False)


def spec() -> BaseSchema:
    """Load the document, and of its operations those that are to be fuzzed."""
    labels = {f"{method.upper()} {path}" for path, method, _ in doc.operations()}
    loaded = schemathesis.openapi.from_path(spec_file(), config=config())
    return loaded.include(lambda context: context.operation.label in labels)


def operations(schema: BaseSchema) -> list[Operation]:
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


each_operation = pytest.mark.parametrize("operation", operations(spec()), ids=lambda o: o.label)


def slices(
    name: str, mode: GenerationMode, load: Callable[[], BaseSchema], examples: int, count: int
) -> dict[str, BaseSchema]:
    """Share the examples of one test among `count` slices, which can run at the same time.

    Each has a seed of its own. The first two also try the examples of the document, which are all
    valid, and the bounds of each of its schemas; these are the same in every run.
    """
    shared = {}
    for number in range(count):
        schema = load()
        schema.config.seed = SEED * 1000 + number
        schema.config.generation.update(modes=[mode], max_examples=max(1, examples // count))
        schema.config.phases.examples.enabled = number < 2 and mode is VALID
        schema.config.phases.coverage.enabled = number < 2
        shared[f"{name}_{number + 1}"] = schema
    return shared


def documented() -> BaseSchema:
    """Load a document with a path for each documented reply, and the reply as its request.

    Paths are "/operation id/status". A member that can be null can be absent: providers do that.
    """
    return _load(_with_absent_nulls)


def schemas_of_replies() -> BaseSchema:
    """Load the same with only the first of the replies that have the same schema."""
    return _load(_with_absent_nulls, first_only=True)


def wild() -> BaseSchema:
    """Load these with values that no enum has."""
    return _load(lambda node: _with_new_values(_with_absent_nulls(node)), first_only=True)


def _load(change: Callable[[Schema], Schema], *, first_only: bool = False) -> BaseSchema:
    paths = {
        f"/{operation['operationId']}/{status}": {
            "post": {
                "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
                "responses": {"200": {"description": "The reply was understood."}},
            }
        }
        for _, _, operation in doc.operations()
        for status, reply in operation["responses"].items()
        if (schema := json_schema(reply)) is not None
    }
    if first_only:
        first = {json.dumps(item): path for path, item in reversed(paths.items())}
        paths = {path: item for path, item in paths.items() if path in first.values()}
    document = {
        "openapi": DOCUMENT["openapi"],
        "info": {"title": "replies", "version": "1"},
        "paths": paths,
        "components": {"schemas": DOCUMENT.get("components", {}).get("schemas", {})},
    }
    return schemathesis.openapi.from_dict(with_objects(document, change), config=config())


def _with_absent_nulls(node: Schema) -> Schema:
    if isinstance(node.get("required"), list):
        members = node.get("properties", {})
        nullable = {n for n, schema in members.items() if doc.allows_type(schema, "null")}
        node["required"] = [name for name in node["required"] if name not in nullable]
        # A blank SID names nothing: the client treats it as missing, and raises.
        if "sid" in members:
            node["properties"] = {**members, "sid": {**members["sid"], "minLength": 1}}
    return node


def _with_new_values(node: Schema) -> Schema:
    if isinstance(node.get("enum"), list):
        node["anyOf"] = [{"enum": node.pop("enum")}, {"type": "string"}]
    return node


def run_sequences(
    machine: type[RuleBasedStateMachine],
    part: int,
    *,
    examples: int,
    steps: int,
    shrink: bool = True,
) -> None:
    """Run one part of the sequences of a machine; each has a seed of its own.

    As for other cases, `no-shrink` in the settings of schemathesis turns shrinking off.
    """
    shrink = shrink and is_shrunk(CONFIG)
    # A class of its own, since it carries the seed.
    seeded = seed(SEED * 1000 + part)(type(machine.__name__, (machine,), {}))
    run_state_machine_as_test(
        seeded,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=False,  # Else Hypothesis ignores seeds where it finds itself in CI.
            database=None,
            phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
            suppress_health_check=[*HealthCheck],
        ),
    )
