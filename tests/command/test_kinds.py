"""Each kind of argument that a contract can have is read from the words of a command."""

import copy
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from signalwire_compat_mock import MockServer

from tests.conftest import PROJECT, run
from tests.edits.additions import THING, parameter
from tests.edits.generated_package import generated
from tests.edits.helpers import FILE, MULTIPART, adds, body, list_of, object_of, ref, text

COMMAND = (sys.executable, "-W", "error", "-m", "signalwire_compat", "things", "try-it")
INTEGER = {"type": "integer", "description": "In mm."}
FIELDS = {
    "image": FILE,
    "day": text(format="date"),
    "thing": ref("Thing"),
    "things": list_of(ref("Thing")),
    "sizes": list_of(INTEGER),
    "size": {**INTEGER, "enum": [1, 2]},
    "isNew": {"type": "boolean", "description": "Whether it is new."},
    "json": text(),
    "Wide_URL": text(),
    "wideUrl": text(),
}


@pytest.fixture(scope="module")
def spec(contract: dict[str, Any], shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    document, folder = copy.deepcopy(contract), tmp_path_factory.mktemp("kinds")
    path = [parameter("Flag", "path", {"type": "boolean"})]
    form = body(object_of(**FIELDS), MULTIPART)
    things = {"parameters": path, "requestBody": form, "schemas": {"Thing": THING}}
    adds("/things/{Flag}", "post", **things)(document)
    (folder / "photo.jpg").write_bytes(b"JPEG")
    return generated(document, folder, shared).parent / "openapi.yaml"


def test_a_value_of_each_kind_is_read_and_sent(spec: Path) -> None:
    words = """true --image photo.jpg --day 2026-01-31 --thing '{"name": "a"}' --sizes 1 --sizes 2
        --things '{"name": "b"}' --size 2 --no-is-new --argument-json c --wide-url d
        --argument-wideUrl e"""
    with MockServer(spec) as mock:
        done = run(*COMMAND, *shlex.split(words), cwd=spec.parent, **mock.environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "Done.\n", "")
        (exchange,) = mock.journal
    sent = exchange.body.decode().replace("\r\n", "|")
    assert exchange.path.endswith("/things/true")
    for part in (
        *('"image"; filename="photo.jpg"|Content-Type: image/jpeg||JPEG|', '"day"||2026-01-31|'),
        *('"thing"|Content-Type: application/json||{"name": "a"}|', '"sizes"||1|', '"sizes"||2|'),
        *('"things"|Content-Type: application/json||{"name": "b"}|', '"size"||2|'),
        *('"isNew"||false|', '"json"||c|', '"Wide_URL"||d|', '"wideUrl"||e|'),
    ):
        assert f"name={part}" in sent


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("yes", 'Flag must be true or false, got "yes"'),
        ("true --image none.jpg", "argument --image: none.jpg can't be read: No such file"),
        ("true --day soon", 'day must be a date such as 2026-01-31, got "soon"'),
        ("true --thing a", 'thing must be an object, got "a"'),
        ("true --sizes a", 'sizes[0] must be a whole number, got "a"'),
        ("true --size 3", "argument --size: invalid choice: 3 (choose from 1, 2)"),
    ],
)
def test_a_value_that_can_not_be_read_is_told_before_anything_is_sent(
    spec: Path, words: str, said: str
) -> None:
    settings = {"SIGNALWIRE_PROJECT_ID": PROJECT}
    settings |= {"SIGNALWIRE_API_TOKEN": "token", "SIGNALWIRE_SPACE": "127.0.0.1:9"}
    done = run(*COMMAND, *shlex.split(words), cwd=spec.parent, **settings)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
