"""A web page of another origin can't use a mock that a developer's browser can reach."""

from typing import Any

import httpx
import pytest
from signalwire_compat_mock import MockServer

from tests.mock.helpers import NUMBER, NUMBERS, Send, Serve

PAGE = {"accept": "text/html,*/*;q=0.8"}
FOREIGN: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
]
USES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/journal", {}),
    ("GET", "/journal/phone_numbers", {}),
    ("GET", "/journal/phone_numbers", {"headers": PAGE}),
    ("DELETE", "/journal", {}),
    ("POST", "/reset", {}),
    ("POST", "/faults", {"json": {"code": 30002}}),
    ("POST", "/clock", {"json": {"days": 1}}),
    ("GET", NUMBERS, {}),
    ("POST", NUMBERS, {"data": {"PhoneNumber": "+15551234567"}}),
    ("OPTIONS", NUMBERS, {}),
]


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize(("method", "path", "settings"), USES)
def test_a_page_of_another_origin_changes_nothing_and_sees_no_journal(
    send: Send, foreign: dict[str, str], method: str, path: str, settings: dict[str, Any]
) -> None:
    bought = send.bought()
    date = send("GET", NUMBERS).headers["date"]
    reply = send(method, path, **settings | {"headers": settings.get("headers", {}) | foreign})
    assert (reply.status_code, "other origins" in reply.json()["message"]) == (403, True)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in reply.headers
    assert len(send.mock.journal) == 2
    assert send.mock.phone_numbers() == [bought]
    assert send.mock.pending_faults == []
    assert send("GET", NUMBERS).headers["date"][:16] == date[:16]


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("number", range(len(USES) - 1))
def test_the_pages_of_the_mock_may_do_what_programs_may(send: Send, site: str, number: int) -> None:
    method, path, settings = USES[number]
    own = settings.get("headers", {}) | {"origin": send.mock.url, "sec-fetch-site": site}
    assert send(method, path, **settings | {"headers": own}).is_success


@pytest.mark.parametrize("page", ["/", "/docs", "/journal", "/openapi.json", "/docs/pages.css"])
def test_a_link_on_another_page_opens_the_pages(send: Send, page: str) -> None:
    link = {**PAGE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    reply = send("GET", page, headers=link, follow_redirects=True)
    assert reply.status_code == 200
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name",
    ["evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", "[", ""],
)
@pytest.mark.parametrize("path", ["/journal", "/docs", "/docs/credentials", NUMBERS])
def test_a_web_site_whose_name_points_to_this_machine_gets_nothing(
    send: Send, name: str, path: str
) -> None:
    reply = send("GET", path, headers={"host": name})
    assert (reply.status_code, "localhost" in reply.json()["message"]) == (421, True)
    assert send.mock.journal == []


@pytest.mark.parametrize(
    "name", ["localhost:80", "LOCALHOST", "me.localhost", "127.8.9.1", "[::1]:5"]
)
def test_every_name_of_a_loopback_address_is_answered(send: Send, name: str) -> None:
    assert send("GET", NUMBERS, headers={"host": name}).status_code == 200


def test_a_mock_for_other_machines_answers_to_any_name(serve: Serve) -> None:
    send = serve(host="0.0.0.0")  # noqa: S104
    named = {"host": "mock.example:8000"}
    assert send("GET", "/journal", headers=named).status_code == 200
    assert send("GET", "/journal", headers={**named, **FOREIGN[0]}).status_code == 403
    own = {**named, "origin": "http://mock.example:8000"}
    assert send("POST", "/reset", headers=own).status_code == 204


@pytest.mark.parametrize("path", ["/faults", "/clock"])
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_the_controls_take_nothing_but_json(send: Send, path: str, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    content = b'{"code": 30002}' if path == "/faults" else b'{"days": 1}'
    reply = send(path=path, headers=headers, content=content)
    assert (reply.status_code, "application/json" in reply.json()["message"]) == (415, True)
    assert send.mock.pending_faults == []
    kind = "application/json; charset=utf-8"
    assert send(path=path, headers={"content-type": kind}, content=content).status_code == 204


def test_a_refused_request_leaves_its_connection_usable(send: Send, http: httpx.Client) -> None:
    body = {"PhoneNumber": NUMBER, "FriendlyName": "x" * 200_000}
    assert send(headers=FOREIGN[0], data=body).status_code == 403
    assert send.bought()["phone_number"] == NUMBER


ORIGIN = "http://localhost:3000"
ASKED = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


@pytest.mark.parametrize("allowed", [ORIGIN, "*"])
def test_pages_of_an_allowed_origin_may_use_the_api_and_read_each_answer(
    serve: Serve, allowed: str
) -> None:
    send = serve(allow_origins=[allowed])
    page = {"origin": ORIGIN, "sec-fetch-site": "same-site"}
    may = send("OPTIONS", headers={**page, **ASKED}, auth=None)
    assert may.is_success
    assert "POST" in may.headers["access-control-allow-methods"]
    assert "authorization" in may.headers["access-control-allow-headers"]
    assert send.mock.journal == []
    send.mock.inject(status=502)
    for reply in (may, send.buy(headers=page), send.buy(headers=page), send.buy(headers=page)):
        assert reply.headers["access-control-allow-origin"] == allowed
    assert [exchange.status for exchange in send.mock.journal] == [502, 201, 422]


@pytest.mark.parametrize(("method", "path", "settings"), USES[:6])
def test_an_allowed_origin_opens_neither_the_journal_nor_the_controls(
    serve: Serve, method: str, path: str, settings: dict[str, Any]
) -> None:
    send = serve(allow_origins=["*"])
    for asked in ({}, ASKED):
        headers = settings.get("headers", {}) | {"origin": ORIGIN, **asked}
        reply = send(method, path, **settings | {"headers": headers})
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers


def test_another_origin_than_the_allowed_one_stays_refused(serve: Serve) -> None:
    send = serve(allow_origins=[ORIGIN])
    for foreign in (*FOREIGN[::2], {"origin": ORIGIN + "0"}, FOREIGN[3]):
        assert "--allow-origin" in send.buy(headers=foreign).json()["message"]
    assert send.mock.journal == []
    assert "access-control-allow-origin" not in send.bought(headers={"origin": send.mock.url})


@pytest.mark.parametrize("origins", [ORIGIN, [ORIGIN + "/"], ["localhost:3000"], [""]])
def test_what_is_not_a_list_of_origins_is_not_taken(origins: Any) -> None:
    with pytest.raises(ValueError, match="origin"):
        MockServer(allow_origins=origins)
