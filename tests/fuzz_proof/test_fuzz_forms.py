"""`make fuzz` and forms: what no text can break is not asked for, and the rest is reached.

An object in the query is written like a form, each member by itself.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT, ROOT
from tests.edits.package import written
from tests.edits.words import FORM, MULTIPART, adds, body, object_of, parameter, ref, text
from tests.fuzz import coverage
from tests.fuzz_proof.tree import copy_tree, generate, run

TEXTS = {"type": "array", "items": {"type": "string"}, "description": "Some."}
ALL = {
    "Texts": TEXTS,
    "Kind": object_of("name", name=text(), tags={**TEXTS, "minItems": 1}),
    "Either": {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "Or both."},
}
MEMBERS: dict[str, Any] = {
    "word": text(),
    "short": text(maxLength=3),
    "either": ref("Either"),
    "count": {"type": "integer", "description": "How many."},
    "texts": ref("Texts"),
    "again": ref("Texts"),
    "counts": {**TEXTS, "minItems": 1, "maxItems": 3, "items": {"type": "integer"}},
    "pairs": {**TEXTS, "minItems": 2, "uniqueItems": True},
    "kind": {"oneOf": [ref("Kind")], "description": "A kind."},
    "kinds": {"type": "array", "items": ref("Kind"), "description": "More of them."},
}
BREAKABLE = {
    *("/required", "/properties", "/short/maxLength", "/count/type", "/counts/maxItems"),
    *("/counts/items/type", "/pairs/minItems", "/pairs/uniqueItems", "/Either/anyOf/1/type"),
}
IN_JSON = {
    *("/kind/oneOf", "/kind/oneOf/0/$ref", "/kinds/items/$ref", "/Kind/type", "/Kind/required"),
    *("/Kind/properties", "/Kind/name/type", "/Kind/tags/type", "/Kind/tags/minItems"),
    "/Kind/tags/items/type",
}


def with_forms(spec: Path) -> Path:
    """Write a document whose operations take a form, multipart, and an object in the query."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    document["paths"].clear()
    for name, kind in (("form", FORM), ("parts", MULTIPART)):
        form = body(object_of("word", **MEMBERS), kind)
        adds(f"/{name}", "post", operationId=name, schemas=ALL, requestBody=form)(document)
    sought = object_of("name", name=text(maxLength=3), size={"type": "integer"}, tags=TEXTS)
    query = {**parameter("Sought", schema=sought), "required": True}
    adds("/found", operationId="found", parameters=[query, parameter("Page")])(document)
    return written(document, spec)


def asked(spec: Path, name: str, **sent: Any) -> set[str]:
    """Send one valid form, and give the keywords that are then to be broken."""
    reached = coverage.Coverage()
    with MockServer(spec) as mock:
        url = f"{mock.url}/api/laml/2010-04-01/{name}"
        answer = httpx.post(url, auth=(PROJECT, DEFAULT_TOKEN), **sent)
        assert answer.status_code == 204, answer.text
        reached.record(mock.journal[-1])
    gaps = [gap.split() for gap in reached.gaps() if f"/{name} body " in gap]
    paths = [gap[-2] for gap in gaps if gap[0] == "keyword_needs_invalid"]
    return {p.removeprefix("/components/schemas").replace("/properties/", "/") for p in paths}


def test_a_form_is_asked_for_each_keyword_that_text_can_break_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = with_forms(tmp_path / "openapi.yaml")
    monkeypatch.setattr(coverage, "SPEC", spec)
    sent = b"word=a&short=a&either=1&count=1&texts=a&again=a&counts=1&pairs=a&pairs=b"
    headers = {"content-type": FORM}
    assert asked(spec, "form", content=sent, headers=headers) == BREAKABLE


def test_a_part_of_json_is_asked_for_all_that_json_can_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = with_forms(tmp_path / "openapi.yaml")
    monkeypatch.setattr(coverage, "SPEC", spec)
    kind = (None, '{"name": "a", "tags": ["a"]}', "application/json")
    parts: list[tuple[str, Any]] = [("kind", kind), ("kinds", kind), ("pairs", (None, "b"))]
    parts += [(name, (None, "1")) for name in MEMBERS if not name.startswith("kind")]
    assert asked(spec, "parts", files=parts) == BREAKABLE | IN_JSON


def fuzzed(folder: Path, chosen: str, examples: int) -> subprocess.CompletedProcess[str]:
    """Run some of the fuzz tests, and ask for all of the document as all of them do."""
    tests = ("tests/fuzz/test_client.py", "tests/fuzz/test_direct.py")
    command = ("-m", "pytest", *tests, "-q", "-p", "no:randomly", "-k", chosen)
    return run(folder, *command, FUZZ_REPORT="all", FUZZ_EXAMPLES=str(examples))


def test_all_of_it_is_reached_and_a_rule_that_is_not_turns_the_run_red(tmp_path: Path) -> None:
    folder = copy_tree(tmp_path)
    with_forms(folder / "openapi.yaml")
    generate(folder)
    whole = fuzzed(folder, "odd_member and mock or schemathesis_finds", 100)
    assert whole.returncode == 0, whole.stdout[-4000:]
    assert "not covered" not in whole.stdout
    part = fuzzed(folder, "valid_3 and not invalid_3", 100)
    assert part.returncode == 1
    assert "3 passed" in part.stdout
    lacking = "\n".join(re.findall("not covered: keyword_needs_invalid .*", part.stdout))
    assert "/properties/short/maxLength" in lacking
    assert "/properties/counts/type" not in lacking
