"""The command finds bugs of a server that is not ours, and says so where people and CI look."""

import re
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

import pytest

from .conftest import Fuzz, Shop
from .shop import AUTH, BUGS, KEY

PLENTY = ("--seconds", "0", "--examples", "100")
FEW = ("--seconds", "0", "--examples", "4")
FOUND = {
    "one digit too many": "one_odd_member: code accepted\n.*forbids.*000000",
    "no echo": "echo: note\n.*note was sent as .*, and comes back as None",
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
    for report in (failures, page.replace("&quot;", '"'), done.stdout):
        assert 'curl -X POST -u "$FUZZ_AUTH"' in report
        assert AUTH not in report
        assert KEY not in report
    told = done.stdout.partition("covered:")[0].split("FAILED ")[1:]
    assert max(text.strip().count("\n") for text in told) < 10, done.stdout
    assert "<td>operations<td>3/3" in page
    replay = re.search(r"To replay all of it:\n  signalwire-compat-fuzz (.*)\n", done.stdout)
    assert replay
    assert f"<code>signalwire-compat-fuzz {replay[1]}</code>" in page.replace("&#x27;", "'")
    assert "::error file=openapi.yaml,line=47,title=GET /prices::" in done.stdout
    assert "::error file=openapi.yaml,line=7,title=POST /orders::" in done.stdout


@pytest.mark.slow
def test_a_failure_of_two_values_that_meet_is_found(shop: Shop, fuzz: Fuzz) -> None:
    url = shop("rare pair")
    done = fuzz("--url", url, "--auth", AUTH, *PLENTY, "--include", "id=createOrder")
    assert "one_odd_member: note and gift failed" in done.stdout
    assert '{"error": "no label is that long"}' in done.stdout


@pytest.mark.parametrize(("bug", "member"), [("long coupon", "coupon"), ("long zip", "to")])
def test_a_digit_too_many_in_a_member_that_may_be_missing_is_found(
    shop: Shop, fuzz: Fuzz, bug: str, member: str
) -> None:
    done = fuzz("--url", shop(bug), "--auth", AUTH, *PLENTY, "--include", "id=createOrder")
    assert f"FAILED POST /orders: one_odd_member: {member} accepted" in done.stdout


@pytest.mark.parametrize(
    ("bug", "message"),
    [
        ("zip is lost", "to.zip was sent as '[0-9]{5}', and comes back as None"),
        ("no default", "to.country has the default 'US', and comes back as None"),
    ],
)
def test_what_a_success_does_not_repeat_is_found_inside_a_member_too(
    shop: Shop, fuzz: Fuzz, bug: str, message: str
) -> None:
    done = fuzz("--url", shop(bug), "--auth", AUTH, *FEW, "--include", "id=createOrder")
    assert re.search(message, done.stdout), done.stdout


CHANGE = """\
    patch:
      operationId: changeOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, pattern: "^[a-z0-9]{8}$"}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [code]
              properties: {code: {type: string, pattern: "^[0-9]{5}$"}}
      responses:
        "200": {$ref: "#/paths/~1orders/post/responses/201"}
        "401": {description: The key is wrong.}
        "404": {description: There is none.}
        "422": {description: The code is wrong.}
"""


def test_what_was_made_is_changed_where_no_example_names_it(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    document = tmp_path / "openapi.yaml"
    text = document.read_text("utf-8").replace("  /prices:\n", f"{CHANGE}  /prices:\n")
    document.write_text(text, "utf-8")
    done = fuzz("--url", shop("changes"), "--auth", AUTH, *PLENTY, "--exclude", "id=listPrices")
    assert "FAILED PATCH /orders/{id}: one_odd_member: code accepted" in done.stdout, done.stdout


def test_a_server_that_keeps_to_its_document_passes(shop: Shop, fuzz: Fuzz) -> None:
    done = fuzz("--url", shop(), *FEW, FUZZ_AUTH=AUTH, GITHUB_ACTIONS="true")
    assert done.returncode == 0, done.stdout
    assert "covered: 3/3 operations" in done.stdout
    assert "::error" not in done.stdout


@pytest.mark.parametrize("subject", ["client", "server"])
def test_a_run_that_tries_nothing_fails(shop: Shop, fuzz: Fuzz, subject: str) -> None:
    option = {"client": ("--client", "json"), "server": ("--url", shop())}
    done = fuzz(*option[subject], *FEW, "--include", "tag=orders", "--exclude", "tag=orders")
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


@pytest.mark.slow
def test_known_failures_pass_in_any_folder_and_another_of_the_same_operation_fails(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    options = ("--auth", AUTH, *PLENTY, "--known", "known.json", "--include", "id=createOrder")
    assert fuzz("--url", shop("no echo"), *options, "--learn").returncode == 1
    known = (tmp_path / "known.json").read_text("utf-8")
    assert "echo: note" in known
    assert "/" not in known.replace("POST /orders", "")  # No path of this machine.
    again = fuzz("--url", shop("no echo"), *options)
    assert again.returncode == 0, again.stdout
    assert "known: 1 of the failures in the --known file" in again.stdout
    worse = fuzz("--url", shop("no echo", "one digit too many"), *options)
    assert re.findall("FAILED (.*)", worse.stdout) == [
        "POST /orders: one_odd_member: code accepted"
    ]


WITH_CONTENT = "name: filter, in: query, content: {application/json: {schema: true}}"


@pytest.fixture
def fuzz_prices(shop: Shop, fuzz: Fuzz, tmp_path: Path) -> Fuzz:
    """Return a function that fuzzes the prices of a shop, with one parameter more."""

    def fuzz_prices(parameter: str, *bugs: str) -> CompletedProcess[str]:
        spec, limit = tmp_path / "openapi.yaml", "- {name: limit, in: query"
        text = spec.read_text("utf-8")
        assert limit in text
        spec.write_text(text.replace(limit, f"- {{{parameter}}}\n        {limit}"), "utf-8")
        return fuzz("--url", shop(*bugs), "--auth", AUTH, *PLENTY, "--include", "id=listPrices")

    return fuzz_prices


@pytest.mark.parametrize(
    "parameter",
    [
        "name: X-Note, in: header, schema: {type: string}",
        "name: filter, in: query, schema: {type: object}",
        WITH_CONTENT,
    ],
)
def test_a_right_server_passes_whatever_a_parameter_may_hold(
    fuzz_prices: Fuzz, parameter: str
) -> None:
    done = fuzz_prices(parameter)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize(
    "parameter",
    [
        "name: tags, in: query, explode: false, schema: {type: array, items: {type: string}}",
        "name: tags, in: header, schema: {type: array, items: {type: string}}",
        WITH_CONTENT,
    ],
)
def test_the_others_are_odd_if_one_parameter_is_written_in_its_own_way(
    fuzz_prices: Fuzz, parameter: str
) -> None:
    done = fuzz_prices(parameter, "high limit")
    name = re.findall(r"\w+", parameter)[1]
    assert f"cases with an odd {name}: no way to write that is known" in done.stdout
    assert "one_odd_member: limit accepted" in done.stdout
    assert "covered: 1/1 operations, 2/2 parameters" in done.stdout
