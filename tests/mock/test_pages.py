"""The journal and the explorer, for programs and browsers."""

import re

import httpx
import pytest
from signalwire_compat_mock import MockServer

from tests.conftest import ROOT
from tests.mock.helpers import BASE, FORM, NUMBER, SPEC, Send


def test_the_journal_is_json_for_programs_and_a_page_for_browsers(
    mock: MockServer, send: Send, http: httpx.Client
) -> None:
    for number in (NUMBER, NUMBER, "+15551234567"):
        send(data={"PhoneNumber": number})
    page = http.get(mock.url + "/journal", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    whole = http.get(mock.url + "/journal")
    assert [exchange["status"] for exchange in whole.json()] == [201, 422, 201]
    last = http.get(mock.url + "/journal?last=1")
    assert last.json() == whole.json()[-1:]
    assert last.headers["journal-length"] == "3"
    seen = {"if-none-match": last.headers["etag"]}
    assert http.get(mock.url + "/journal", headers=seen).status_code == 304
    send(data={"PhoneNumber": NUMBER})
    assert http.get(mock.url + "/journal", headers=seen).status_code == 200


def test_the_journal_of_another_mock_is_never_taken_for_the_one_that_was_seen(
    http: httpx.Client,
) -> None:
    with MockServer() as one, MockServer() as other:
        seen = {"if-none-match": http.get(one.url + "/journal").headers["etag"]}
        assert http.get(one.url + "/journal", headers=seen).status_code == 304
        assert http.get(other.url + "/journal", headers=seen).status_code == 200


def test_the_journal_over_http_names_cookies_without_their_values(
    mock: MockServer, send: Send, http: httpx.Client
) -> None:
    cookie = "session=secret; theme=a=b;hidden"
    send(headers={"cookie": cookie})
    (shown,) = http.get(f"{mock.url}/journal").json()
    assert ["cookie", "session=[redacted]; theme=[redacted]; [redacted]"] in shown["headers"]
    assert ("cookie", cookie) in mock.journal[0].headers


def test_a_token_is_not_in_the_journal_over_http_in_any_spelling_of_a_url(
    http: httpx.Client,
) -> None:
    with MockServer(token='P T+ü/"token') as mock:
        for spelt in ("P%20T%2B%C3%BC%2F%22token", "P+T%2b%c3%bc/%22%74oken"):
            content = f"PhoneNumber={spelt}"
            http.post(f"{mock.url}/x{spelt}?a={spelt}", headers=FORM, content=content)
            shown = http.get(f"{mock.url}/journal?last=1").json()[0]
            assert (shown["path"], shown["query"]) == ("/x[token]", "a=[token]")
            assert shown["body"] == "PhoneNumber=[token]"
            assert mock.journal[-1].query == f"a={spelt}"


@pytest.mark.parametrize("last", ["-1", "abc", "1.5", "9" * 5_000])
def test_a_journal_position_that_is_not_a_number_is_refused(
    mock: MockServer, http: httpx.Client, last: str
) -> None:
    reply = http.get(f"{mock.url}/journal?last={last}")
    assert (reply.status_code, "last must be a whole" in reply.json()["message"]) == (400, True)


def test_the_explorer_gets_the_contract_with_this_mock_as_its_server(
    mock: MockServer, http: httpx.Client
) -> None:
    shown = http.get(mock.url + "/openapi.json").json()
    assert [server["url"] for server in shown["servers"]] == [BASE]
    assert shown["paths"].keys() == SPEC["paths"].keys()
    for code, entry in SPEC["components"]["schemas"]["Error"]["x-error-codes"].items():
        row = f"| {code} | {entry['status']} | {entry['when']} |"
        assert row in shown["components"]["schemas"]["Error"]["description"]
        for operation in shown["paths"][next(iter(shown["paths"]))].values():
            if answer := operation["responses"].get(str(entry["status"])):
                assert row in answer["description"]
    assert http.get(mock.url + "/docs/none.js").status_code == 404
    assert len(http.get(mock.url + "/docs/swagger-ui-bundle.js").content) > 10**6


def test_a_token_chosen_by_the_user_is_not_shown_by_the_explorer(http: httpx.Client) -> None:
    with MockServer(token="spoken") as server:
        assert http.get(server.url + "/docs/credentials").json()["token"] is None
        assert "spoken" not in http.get(server.url + "/docs").text


def test_the_readme_names_every_member_of_an_entry_of_the_journal(
    mock: MockServer, send: Send, http: httpx.Client
) -> None:
    send(data={"PhoneNumber": NUMBER})
    (entry,) = http.get(f"{mock.url}/journal").json()
    readme = (ROOT / "mock_server" / "README.md").read_text("utf-8")
    table = readme.partition("| member | holds |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\|(.*?)\|", table, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", "".join(cells))) == sorted(entry)
