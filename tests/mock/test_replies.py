"""The mock checks its own replies before it sends them."""

import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.handlers import HANDLERS, Call, Reply
from signalwire_compat_mock.state import State

from tests.mock.helpers import Send


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(202, {}), "status 202 is not documented at /paths/~1Accounts~1{AccountSid}~1Inc"),
        (Reply(201), "/components/schemas/IncomingPhoneNumber/type"),
        (Reply(201, {"sid": 1}), "/components/schemas/IncomingPhoneNumber/required"),
        (Reply(201, {1, 2}), "not JSON"),
        (Reply(201, float("nan")), "not JSON"),
        (Reply(422, {"code": 1}), "/components/schemas/Error/required"),
    ],
)
def test_a_reply_that_breaks_the_spec_is_never_sent(
    mock: MockServer, send: Send, monkeypatch: pytest.MonkeyPatch, reply: Reply, words: str
) -> None:
    monkeypatch.setitem(HANDLERS, "purchase", lambda *_: reply)
    answer = send.buy()
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("The mock is at fault, not the request: the handler of purchase")
    assert words in answer.text
    assert mock.journal[-1].refusal == answer.text


def test_a_wrong_member_of_a_reply_is_named_in_the_log(
    send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sell = HANDLERS["purchase"]

    def handler(call: Call, state: State) -> Reply:
        reply = sell(call, state)
        return Reply(reply.status, {**reply.body, "beta": "no"})

    monkeypatch.setitem(HANDLERS, "purchase", handler)
    pointer = "/components/schemas/IncomingPhoneNumber/properties/beta/type"
    assert f"/beta does not fit {pointer}" in send.buy().text
    assert pointer in caplog.text


def test_a_handler_that_raises_is_an_answer_without_the_token(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(call: Call, state: State) -> Reply:
        raise KeyError(DEFAULT_TOKEN)

    monkeypatch.setitem(HANDLERS, "purchase", handler)
    answer = send.buy()
    assert answer.status_code == 500
    assert "KeyError('[token]')" in answer.text
