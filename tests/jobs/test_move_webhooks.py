"""Move the webhooks of all numbers of an account to another host, and go on after a stop."""

from collections import Counter
from dataclasses import replace
from itertools import count

import pytest
from signalwire_compat import RestClient, ServerError
from signalwire_compat.api.phone_numbers import UpdateOptions
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

OLD, NEW = "https://old.example/", "https://new.example/"
MANY = [f"+1512{line:07}" for line in range(1_200)]


def move_webhooks(client: RestClient) -> int:
    """Replace the host in the webhooks of every number; return how many numbers were changed.

    A number that was changed before is left alone, so the job can be run again after a stop.
    """
    numbers = client.compat.phone_numbers
    changed = 0
    for number in numbers.list(PageSize=100):
        urls: UpdateOptions = {}
        if number.voice_url and number.voice_url.startswith(OLD):
            urls["VoiceUrl"] = NEW + number.voice_url.removeprefix(OLD)
        if number.sms_url and number.sms_url.startswith(OLD):
            urls["SmsUrl"] = NEW + number.sms_url.removeprefix(OLD)
        if urls:
            numbers.update(number.sid, **urls)
            changed += 1
    return changed


def test_all_numbers_of_an_account_get_new_webhooks_and_a_stopped_job_goes_on(
    client: RestClient, mock: MockServer
) -> None:
    numbers = client.compat.phone_numbers
    for number in MANY:
        numbers.purchase(PhoneNumber=number, VoiceUrl=f"{OLD}voice?to={number[1:]}", SmsUrl=OLD)
    kept = numbers.purchase(PhoneNumber="+15551234567", VoiceUrl="https://else.example/")
    updates = count(1)

    def lose_reply_to_update_500(answer: Answer) -> Answer:
        is_lost = answer.operation_id == "update" and next(updates) == 500
        return replace(answer, status=503, body=b"") if is_lost else answer

    with mock.answering(lose_reply_to_update_500), pytest.raises(ServerError) as caught:
        move_webhooks(client)
    assert caught.value.outcome_unknown
    assert move_webhooks(client) == 700
    assert move_webhooks(client) == 0

    records = mock.phone_numbers()
    assert [record["phone_number"] for record in records] == [*MANY, kept.phone_number]
    for record in records[:-1]:
        assert record["voice_url"] == f"{NEW}voice?to={record['phone_number'][1:]}"
        assert (record["sms_url"], record["sms_method"]) == (NEW, "POST")
    assert records[-1] == kept.to_dict()
    # Twelve full pages and one with the last number in each whole run, five in the first.
    calls = Counter(exchange.operation_id for exchange in mock.journal)
    assert calls == {"purchase": 1_201, "update": 1_200, "list": 5 + 13 + 13}
