"""The command finds bugs of a server that is not ours, and says so where people and CI look."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import Fuzz, Shop
from .shop import AUTH, BUGS

PLENTY = ("--seconds", "0", "--examples", "100")
FEW = ("--seconds", "0", "--examples", "4")
FOUND = {
    "one digit too many": "`one_odd_member`(.|\n)*forbids(.|\n)*000000",
    "no echo": "`echo`(.|\n)*note was sent as .*, and comes back as None",
    "rare failure": "Server error",
    "wrong type": '"100" is not of type "integer"',
}


@pytest.mark.slow
def test_four_bugs_are_found_and_reported_where_people_look(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    options = ("--url", shop(*BUGS), "--auth", AUTH, *PLENTY)
    done = fuzz(*options, GITHUB_ACTIONS="true")
    assert done.returncode == 1, done.stderr
    junit = ElementTree.parse(tmp_path / "reports" / "fuzz-server.xml")  # noqa: S314  # our own
    failures = "\n".join(str(found.text) for found in junit.iter("failure"))
    page = (tmp_path / "reports" / "fuzz.html").read_text("utf-8")
    for bug in BUGS:
        assert re.search(FOUND[bug], failures), bug
    assert "curl -X POST" in page
    assert "<td>operations<td>3/3" in page
    replay = re.search(r"To replay all of it:\n  signalwire-compat-fuzz (.*)\n", done.stdout)
    assert replay
    assert f"<code>signalwire-compat-fuzz {replay[1]}</code>" in page.replace("&#x27;", "'")
    assert "::error file=openapi.yaml,line=45,title=GET /prices::" in done.stdout
    assert "::error file=openapi.yaml,line=7,title=POST /orders::" in done.stdout


def test_a_server_that_keeps_to_its_document_passes(shop: Shop, fuzz: Fuzz) -> None:
    done = fuzz("--url", shop(), *FEW, FUZZ_AUTH=AUTH, GITHUB_ACTIONS="true")
    assert done.returncode == 0, done.stdout
    assert "covered: 3/3 operations" in done.stdout
    assert "::error" not in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give --url URL, --client PACKAGE or both"),
        (("--url", "example.com"), "example.com is not an address"),
        (("--url", "https://example.com"), "costs money there.*again: --allow-host example.com"),
        (("--url", "http://127.0.0.1.nip.io"), "is not this machine"),
        (("--url", "https://example.com", "--allow-host", "example.org"), "is not this machine"),
        (("--url", "http://127.0.0.1:1", "--spec", "none.yaml"), "none.yaml is not a file"),
        (("--url", "http://[::1]:1", "--seconds", "soon"), "FUZZ_SECONDS is 'soon'"),
        (("--client", "none.at_all"), "client: no module none.at_all"),
        (("--url", "http://localhost:1", "--hooks", "none"), "hooks: no module none"),
        (
            ("--url", "http://localhost:1", "--examples", "0"),
            "FUZZ_EXAMPLES is '0': give a whole number from 1",
        ),
        (("--url", "http://localhost:1", "--include", "name=x"), "--include name: give id=, tag="),
    ],
    ids=str,
)
def test_what_makes_no_sense_or_costs_money_is_refused(
    fuzz: Fuzz, options: tuple[str, ...], message: str
) -> None:
    done = fuzz(*options, FUZZ_ALLOW_HOST="example.com")
    assert done.returncode in (1, 2)
    assert re.search(message, " ".join(done.stderr.split())), done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it has no paths"),
        (b"paths: [", "openapi.yaml is not an OpenAPI document: while parsing"),
        (b"openapi: 3.1.0", "it has no paths"),
        (b"\xff\xfe", "is not an OpenAPI document"),
    ],
)
def test_a_file_that_is_no_document_is_refused_in_a_line(
    fuzz: Fuzz, tmp_path: Path, content: bytes, message: str
) -> None:
    spec = tmp_path / "openapi.yaml"
    spec.write_bytes(content)
    done = fuzz("--url", "http://127.0.0.1:1", "--spec", str(spec))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert message in " ".join(done.stderr.split())
    assert done.stdout == ""


@pytest.mark.parametrize("subject", ["client", "server"])
def test_a_run_that_tries_nothing_fails(fuzz: Fuzz, subject: str) -> None:
    option = {"client": ("--client", "json"), "server": ("--url", "http://localhost:1")}
    done = fuzz(*option[subject], *FEW, "--include", "tag=none")
    assert done.returncode == 2, done.stdout
    assert f"Not one case of the {subject} was tried. If no error above says" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "tested"),
    [
        ("--include=tag=prices", "GET /prices"),
        ("--include=id=createOrder --include=id=listPrices", "GET /prices, POST /orders"),
        ("--exclude=method=POST", "GET /orders/{id}, GET /prices"),
    ],
)
def test_only_the_chosen_operations_are_fuzzed(
    shop: Shop, fuzz: Fuzz, tmp_path: Path, options: str, tested: str
) -> None:
    done = fuzz("--url", shop(), "--auth", AUTH, *FEW, *options.split())
    assert done.returncode == 0, done.stdout
    junit = ElementTree.parse(tmp_path / "reports" / "fuzz-server.xml")  # noqa: S314  # our own
    names = {str(case.get("name")) for case in junit.iter("testcase")} - {"Stateful tests"}
    assert ", ".join(sorted(names)) == tested
    assert f"covered: {len(names)}/{len(names)} operations" in done.stdout


HOOKS = """
from contextlib import contextmanager


@contextmanager
def around_case(case):
    with open("around.txt", "a") as file:
        file.write("before ")
        yield
        file.write("after ")
"""


@pytest.mark.slow
def test_a_team_can_begin_with_a_red_server_and_set_up_each_case(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    (tmp_path / "set_up.py").write_text(HOOKS, "utf-8")
    options = ("--url", shop("wrong type"), "--auth", AUTH, *FEW, "--hooks", "set_up")
    first = fuzz(*options, "--learn", "--known", "known.json")
    assert "GET /prices" in (tmp_path / "known.json").read_text("utf-8"), first.stdout
    again = fuzz(*options, "--known", "known.json")
    assert again.returncode == 0, again.stdout
    told = (tmp_path / "around.txt").read_text("utf-8").split()
    assert told[::2] == ["before"] * (len(told) // 2)
    assert told[1::2] == ["after"] * (len(told) // 2) != []
