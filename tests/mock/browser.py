"""The pages of the mock, in a browser as people use them. Run by `make test-browser`."""

import contextlib
import json
import re
import shlex
import shutil
import threading
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import signalwire_compat
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright
from signalwire_compat import RestClient, SignalWireError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from scripts import build_docs
from tests.conftest import PROJECT
from tests.edits import credentials
from tests.mock.helpers import OTHER

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
NUMBER = "+15551234567"
CUT_OR_TOUCHING = Path(__file__).with_name("cut_or_touching.js").read_text("utf-8")
# What is wider than the box that hides the rest of it.
CUT = """() => [...document.querySelectorAll("body *")].filter((element) =>
  element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1
  && getComputedStyle(element).overflowX !== "visible").map((element) =>
  `${element.tagName} ${element.className}: ${element.textContent.trim().slice(0, 80)}`)"""
SITE = build_docs.BUILD / "site"
COMPLAINTS = ("error", "warning")
# A busy machine is slow, and not wrong.
expect.set_options(timeout=30_000)
REFUSED = "Failed to load resource: the server responded with a status of"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("There is no chromium here: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield chromium
        chromium.close()


@contextlib.contextmanager
def watched(browser: Browser, url: str) -> Iterator[Page]:
    """Open a page; whatever it complains of, or fetches from elsewhere, fails the test."""
    problems: list[str] = []
    size: ViewportSize = {"width": 1280, "height": 900}
    with browser.new_context(base_url=url, viewport=size) as context:
        opened = context.new_page()
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on("console", lambda m: problems.append(m.text) if m.type in COMPLAINTS else None)
        opened.on("request", lambda sent: problems.append(sent.url))
        yield opened
    # A refusal is an error of the console to Chromium, and what some tests are about.
    known = ("401 (Unauth", "404 (Not Found", "422 (Unprocessable")
    usual = (url, "data:", "blob:", *(f"{REFUSED} {status}" for status in known))
    assert [problem for problem in problems if not problem.startswith(usual)] == []


@pytest.fixture
def page(browser: Browser, mock: MockServer) -> Iterator[Page]:
    with watched(browser, mock.url) as opened:
        yield opened


class Files(SimpleHTTPRequestHandler):
    """Serves files."""

    def log_message(self, *_: object) -> None:
        """Write nothing to standard error."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Build and serve the reference site."""
    assert build_docs.main() == 0
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """Serve an empty page on another port, and so of another origin."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing to standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def operation(page: Page, name: str) -> Locator:
    """Open an operation of the explorer."""
    shown = page.locator(f"#operations-phone_numbers-{name}")
    shown.locator("button.opblock-summary-control").click()
    return shown


def authorise(page: Page, token: str) -> None:
    page.get_by_role("button", name="Authorize", exact=True).first.click()
    dialogue = page.locator(".modal-ux")
    if (known := dialogue.get_by_role("button", name="Remove authorization")).is_visible():
        known.click()
    dialogue.locator("input[type=text]").fill(PROJECT)
    dialogue.locator("input[type=password]").fill(token)
    dialogue.get_by_role("button", name="Apply credentials").click()
    dialogue.get_by_role("button", name="Close").last.click()


def buy(page: Page, status: int) -> None:
    page.get_by_role("button", name="Execute").click()
    answered(page, status)


def answered(page: Page, status: int) -> None:
    shown = page.locator(".live-responses-table .response-col_status").last
    expect(shown).to_contain_text(str(status))


def cuts(page: Page) -> dict[int, list[str]]:
    """List what is cut at each width; a page that scrolls sideways is cut as a whole."""
    found: dict[int, list[str]] = {}
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        found[width] = page.evaluate(CUT) + ([] if fits(page) else ["the page"])
    return found


def test_no_page_of_the_reference_site_cuts_a_line(browser: Browser, site: str) -> None:
    with watched(browser, site) as page:
        for path in sorted(SITE.rglob("*.html")):
            page.goto(path.relative_to(SITE).as_posix())
            assert (path.name, cuts(page)) == (path.name, {1280: [], 400: []})


def test_the_reference_shows_values_for_defaults_and_only_public_bases(
    browser: Browser, site: str
) -> None:
    with watched(browser, site) as page:
        page.goto("api.html")
        text = page.locator("article").inner_text()
    defaults = {*re.findall(r"default: *([^ )]+)", text)}
    assert {"30.0", "10000000"} <= defaults
    assert {each for each in defaults if re.match("[_a-zA-Z]", each)} == {"None", "False", "UNSET"}
    bases = {base for line in re.findall("Bases: (.*)", text) for base in line.split(", ")}
    assert "APIStatusError" in bases
    assert bases - {*signalwire_compat.__all__} == {"Exception", "ValueError"}


def test_no_page_of_the_mock_cuts_a_line(page: Page, mock: MockServer) -> None:
    page.goto("/docs")
    operations = page.locator("button.opblock-summary-control")
    operations.first.wait_for()
    for operation in operations.all():
        operation.click()
    expect(page.get_by_role("button", name="Execute")).to_have_count(operations.count())
    assert cuts(page) == {1280: [], 400: []}
    mock.inject(drop=True)
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    page.goto("/journal")
    exchanges = page.locator("#exchanges summary")
    exchanges.first.wait_for()
    for exchange in exchanges.all():
        exchange.click()
    assert cuts(page) == {1280: [], 400: []}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1280, 400])
def test_the_explorer_buys_a_number_and_the_journal_shows_both_answers_and_all_of_it_fits(
    page: Page, mock: MockServer, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    assert page.url == f"{mock.url}/docs"
    operation(page, "purchase")
    buy(page, 201)
    assert dict(mock.journal[-1].form or [])["PhoneNumber"] == NUMBER
    assert page.evaluate(CUT_OR_TOUCHING) == []
    tab = page.locator(".tab-item.active span").bounding_box()
    reset = page.get_by_role("button", name="Reset").bounding_box()
    assert tab
    assert reset
    # The line that marks the tab ends 15 pixels below its text.
    assert tab["y"] + tab["height"] + 15 <= reset["y"] or tab["x"] + tab["width"] < reset["x"]
    form, sample = (page.locator(each).bounding_box() for each in ("table.parameters", ".sample"))
    assert form
    assert sample
    is_beside = sample["x"] >= form["x"] + form["width"] and sample["y"] < form["y"]
    assert is_beside == (width == 1280), (form, sample)
    buy(page, 422)
    assert (fits(page), page.evaluate(CUT)) == (True, [])
    assert mock.charges() == 1
    page.get_by_role("link", name="Journal").click()
    rows = page.locator("#exchanges li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("is already sold")
    expect(rows.nth(1).locator("summary")).to_contain_text("201")
    expect(rows.nth(1).locator("summary")).to_contain_text(NUMBER)
    assert fits(page)


@pytest.mark.parametrize(
    ("name", "status", "fields"),
    [
        ("list", 200, {}),
        ("list", 200, {"PageSize": ["20"], "PhoneNumber": ["*512*"]}),
        ("purchase", 201, {}),
        ("purchase", 201, {"FriendlyName": ['"Zoë" \\ 😀'], "VoiceReceiveMode": ["fax"]}),
        ("get", 404, {}),
        ("update", 404, {"FriendlyName": [""], "VoiceMethod": ["GET"]}),
        ("delete", 404, {}),
        ("import_number", 422, {"capabilities": ["voice", "fax"]}),
        ("list_available_countries", 200, {"AccountSid": [OTHER]}),
        ("search_local", 200, {"IsoCountry": ["CA"], "AreaCode": ["416"], "Beta": ["true"]}),
        ("search_toll_free", 200, {}),
    ],
)
def test_the_sample_beside_a_form_sends_what_the_form_sends(
    page: Page, mock: MockServer, name: str, status: int, fields: dict[str, list[str]]
) -> None:
    page.goto("/docs")
    shown = operation(page, name)
    for field, values in fields.items():
        control = shown.locator(f"tr[data-param-name={field}], tr[data-property-name={field}]")
        control.wait_for()
        if (choice := control.locator("select")).count():
            choice.select_option(values)
        else:
            control.locator("input[type=text]").fill(*values)
            control.locator("input[type=text]").blur()
    buy(page, status)
    code, names = shown.locator(".sample pre").inner_text(), dict[str, Any]()
    (by_form,) = mock.journal
    page.goto("/journal")
    expect(page.locator("#exchanges li summary")).to_contain_text(name)
    mock.reset()
    with contextlib.suppress(SignalWireError):
        exec(code, names)  # noqa: S102  # it is what a user would run
    names["client"].close()
    by_sample = mock.journal[0]
    for sent in (by_form, by_sample):
        assert (sent.operation_id, sent.status) == (name, status)
        assert sent.path == by_form.path
        assert sorted(parse_qsl(sent.query)) == sorted(parse_qsl(by_form.query))
        assert sorted(sent.form or []) == sorted(by_form.form or [])
    pairs = [*parse_qsl(by_form.query), *(by_form.form or [])]
    chosen = [value for values in fields.values() for value in [*values] if value]
    assert {*chosen} <= {*by_form.path.split("/"), *(value for _, value in pairs)}


def test_a_sample_of_another_document_takes_the_credentials_that_its_client_takes(
    browser: Browser, tmp_path: Path
) -> None:
    # Of alternatives it takes the first one; these rows try others.
    rows = [row for row in credentials.ROWS if row.name not in ("first", "second", "anonymous")]
    # Swagger UI fetches the page about OpenID Connect.
    whole = json.dumps(credentials.document(*rows)).replace("https://shop.example/id", "/journal")
    (tmp_path / "openapi.json").write_text(whole, "utf-8")
    spec = tmp_path / "openapi.json"
    with MockServer(spec) as mock, watched(browser, mock.url) as page:
        page.goto("/docs")
        for row in rows:
            shown = page.locator(f"#operations-shop-{row.name}")
            shown.locator("button.opblock-summary-control").click()
            code = shown.locator(".sample pre").inner_text()
            given = set(re.findall(r"^    (\w+)=", code.partition("result =")[0], re.MULTILINE))
            assert given == {*row.given, "host"}, row.name


def test_wrong_credentials_are_an_answer_and_no_dialogue_of_the_browser(
    page: Page, mock: MockServer
) -> None:
    page.goto("/docs")
    authorise(page, "wrong")
    operation(page, "purchase")
    buy(page, 401)
    assert mock.charges() == 0


def test_a_token_of_ones_own_is_asked_for_and_not_shown(browser: Browser) -> None:
    with MockServer(token="spoken") as mock, browser.new_context(base_url=mock.url) as context:
        page = context.new_page()
        page.goto("/docs")
        operation(page, "purchase")
        expect(page.locator("#project")).to_have_text(PROJECT)
        expect(page.locator("#token")).to_contain_text("enter it under Authorize")
        buy(page, 401)
        assert "spoken" not in page.content()
        authorise(page, "spoken")
        buy(page, 201)


def test_the_explorer_shows_fields_values_errors_and_the_callback(page: Page) -> None:
    page.goto("/docs")
    explorer = page.locator("#explorer")
    operation(page, "purchase")
    for text in ("VoiceReceiveMode", "invalid: error 21401", "The balance is too low."):
        expect(explorer.get_by_text(text).first).to_be_visible()
    methods = explorer.locator("select").filter(has_text="fax").locator("option")
    assert set(methods.all_inner_texts()) >= {"voice", "fax"}
    page.get_by_role("tab", name="Callbacks").or_(page.get_by_text("Callbacks")).first.click()
    expect(explorer.get_by_text("IncomingCallStatus").first).to_be_visible()
    explorer.get_by_text("Receive the status of an ended call", exact=True).first.click()
    expect(explorer.get_by_text("CallDuration").first).to_be_visible()
    expect(explorer.get_by_text("X-SignalWire-Signature").first).to_be_visible()


def test_the_journal_follows_what_happens_without_the_password(
    page: Page, mock: MockServer
) -> None:
    page.goto("/journal")
    expect(page.get_by_role("status")).to_have_text("No requests yet")
    mock.inject(code=30002)
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        with pytest.raises(SignalWireError):
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    expect(page.get_by_role("status")).to_have_text("2 requests")
    oldest = page.locator("#exchanges li").last
    expect(oldest).to_contain_text("Injected fault: code=30002")
    expect(oldest).to_contain_text("The balance is too low.")
    oldest.locator("summary").click()
    expect(oldest).to_contain_text("[redacted]")
    sent = dict(mock.journal[0].headers)["authorization"].split()[1]
    assert sent not in page.content()
    assert DEFAULT_TOKEN not in page.content()


def test_the_journal_tells_what_was_carried_out_and_what_the_account_owns(
    page: Page, mock: MockServer
) -> None:
    lost, kept = "+15551230001", "+15551230002"
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, max_retries=0, look_up_timeout=0) as client:
        for number, carried_out in ((lost, False), (kept, True)):
            mock.inject(drop=True, carried_out=carried_out)
            with pytest.raises(SignalWireError):
                client.compat.phone_numbers.purchase(PhoneNumber=number, FriendlyName="It's 1 & 2")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/journal")
    rows = page.locator("#exchanges li")
    expect(rows.filter(has_text=lost)).to_contain_text("The request was not carried out.")
    expect(rows.filter(has_text=kept)).to_contain_text("The request was carried out.")
    numbers = page.get_by_label("Phone numbers")
    expect(numbers).to_have_text(f"Owned by account {PROJECT} (1){kept}")
    page.get_by_label("Filter requests").fill("PURCHASE 0001")
    expect(rows.filter(visible=True)).to_have_count(1)
    expect(rows.filter(visible=True)).to_contain_text(lost)
    rows.filter(visible=True).locator("summary").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    target = f"{mock.url}/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
    assert copied[:4] == ["curl", "-X", "POST", target]
    assert copied[copied.index("-u") + 1] == f"{PROJECT}:$SIGNALWIRE_API_TOKEN"
    assert copied[-2:] == ["--data-raw", mock.journal[0].body.decode()]


def test_the_mock_is_reset_only_after_a_question(page: Page, mock: MockServer) -> None:
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    page.goto("/journal")
    expect(page.get_by_label("Phone numbers")).to_contain_text(NUMBER)
    page.once("dialog", lambda question: question.dismiss())
    page.get_by_role("button", name="Reset mock").click()
    assert len(mock.journal) == 1
    page.once("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Reset mock").click()
    expect(page.get_by_role("status")).to_have_text("No requests yet")
    expect(page.get_by_label("Phone numbers")).to_have_text("")
    assert (mock.journal, mock.phone_numbers()) == ([], [])


def test_a_purchase_needs_no_mouse(page: Page, mock: MockServer) -> None:
    def press(name: str) -> None:
        """Walk with the tabulator to a control that has this text, and press it."""
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("(document.activeElement.innerText || '').trim()") == name:
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(outline) == "solid"
                page.keyboard.press("Enter")
                return
        pytest.fail(f"{name} was not reached")

    page.goto("/docs")
    summary = page.locator("#operations-phone_numbers-purchase .opblock-summary-control")
    summary.wait_for()
    press("Authorize")
    press("Logout")
    page.locator(".modal-ux input[type=text]").focus()
    page.keyboard.type(PROJECT)
    page.keyboard.press("Tab")
    page.keyboard.type(DEFAULT_TOKEN)
    page.keyboard.press("Enter")
    for name in ("Close", summary.inner_text().strip()):
        press(name)
    page.wait_for_timeout(500)  # The form takes up its examples.
    press("Execute")
    answered(page, 201)
    page.goto("/journal")
    press(page.locator("#exchanges summary").inner_text().strip())
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    assert mock.charges() == 1


ATTACK = """async ([url, path, form, basic]) => {
  const outcome = [];
  const attempt = (target, options) =>
    fetch(url + target, options).then((r) => outcome.push(r.status), () => outcome.push("failed"));
  const simple = {method: "POST", mode: "no-cors"};
  await attempt("/journal", {});
  await attempt("/journal", {method: "DELETE"});
  await attempt("/reset", simple);
  await attempt("/faults", {...simple, body: '{"code": 30002}'});
  await attempt("/faults", {method: "POST", headers: {"content-type": "application/json"}});
  const body = new URLSearchParams(form);
  await attempt(path, {method: "POST", headers: {authorization: basic}, body});
  return outcome;
}"""


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_neither_steers_the_mock_nor_sees_what_was_sent(
    browser: Browser, mock: MockServer, elsewhere: int, name: str
) -> None:
    basic = "Basic " + b64encode(f"{PROJECT}:{DEFAULT_TOKEN}".encode()).decode()
    path = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    before = (len(mock.journal), mock.phone_numbers())
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://{name}:{elsewhere}/")
        statuses: list[int] = []
        page.on("response", lambda reply: statuses.append(reply.status))
        outcome = page.evaluate(ATTACK, [mock.url, path, "PhoneNumber=%2B15551230000", basic])
        # A reply that may not be read is opaque: it has the status 0.
        assert outcome == ["failed", "failed", 0, 0, "failed", "failed"]
        target = mock.url.replace("//", f"//{PROJECT}:{DEFAULT_TOKEN}@") + path
        page.evaluate(
            """(target) => {
          document.body.innerHTML = `<form method="post" action="${target}">
            <input name="PhoneNumber" value="+15551230000"></form>`;
          document.forms[0].submit();
        }""",
            target,
        )
        page.wait_for_load_state()
        assert set(statuses) == {403}
    assert (len(mock.journal), mock.phone_numbers()) == before
    assert mock.pending_faults == []


def test_a_page_of_an_allowed_origin_buys_but_cannot_reset(
    browser: Browser, elsewhere: int
) -> None:
    origin = f"http://localhost:{elsewhere}"
    basic = "Basic " + b64encode(f"{PROJECT}:{DEFAULT_TOKEN}".encode()).decode()
    path = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
    with MockServer(allow_origins=[origin]) as mock, browser.new_context() as context:
        page = context.new_page()
        page.goto(origin)
        form = "PhoneNumber=%2B15551230000"
        outcome = page.evaluate(ATTACK, [mock.url, path, form, basic])
        assert outcome == ["failed", "failed", 0, 0, "failed", 201]
        assert [exchange.status for exchange in mock.journal] == [201]


def test_a_web_site_whose_name_points_to_this_machine_sees_no_page_of_the_mock(
    browser: Browser, mock: MockServer
) -> None:
    port = mock.url.rpartition(":")[2]
    path = shutil.which("chromium") or shutil.which("google-chrome")
    rule = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
    with browser.browser_type.launch(executable_path=path, args=[*FLAGS.split(), rule]) as rebound:
        page = rebound.new_page()
        reply = page.goto(f"http://rebound.example:{port}/journal")
        assert reply is not None
        assert (reply.status, mock.journal) == (421, [])
