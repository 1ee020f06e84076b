"""How many cases are tried, with which seed, and the documents that they are drawn from."""

import base64
import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from schemathesis import APIOperation, BaseSchema, GenerationMode
from schemathesis.core.result import Ok
from signalwire_compat_mock import DEFAULT_TOKEN

from tests.conftest import PROJECT, ROOT

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 12)
SEED = int(os.environ.get("FUZZ_SEED") or 1)
AUTHORIZATION = f"Basic {base64.b64encode(f'{PROJECT}:{DEFAULT_TOKEN}'.encode()).decode()}"
Operation = APIOperation[Any, Any, Any, Any]
VALID, INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def config() -> schemathesis.Config:
    return schemathesis.Config.from_path(ROOT / "schemathesis.toml")


def spec() -> BaseSchema:
    return schemathesis.openapi.from_path(ROOT / "openapi.yaml", config=config())


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
