"""A part of run 3: the next page of a list is asked for where the list is, and nowhere else."""

import functools
import json
from dataclasses import replace
from typing import Any

import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from signalwire_compat_fuzz import console
from signalwire_compat_fuzz.canned_replies import OPERATIONS, REPLIES, answer_of
from signalwire_compat_fuzz.case_sources import Operation
from signalwire_compat_fuzz.client_calls import FACADE, PACKAGE, Caller
from signalwire_compat_fuzz.expected_reply import send
from signalwire_compat_fuzz.near_valid import valid_case

HOSTS = ("https://x.example", "http://127.0.0.1:8000")
PAGED = [found for found in OPERATIONS.values() if found.definition.raw.get("x-pages")]


@pytest.mark.parametrize("operation", PAGED, ids=lambda o: o.label)
def test_the_next_page_is_asked_for_only_where_the_list_is(
    operation: Operation, server: MockServer, caller: Caller
) -> None:
    console.current.run = "replies"
    case, raw = valid_case(operation), operation.definition.raw
    path = send("sync", case, server, caller)[1][0].path
    key = next(key for key in raw["responses"] if key.startswith("2"))
    reply = f"/{raw['operationId']}/{key}"
    answer = answer_of(valid_case(REPLIES[reply]), reply)
    followed = {f"{path}?a=%2B+c&b=": "a=%2B+c&b=", f"{path}.json?a=1#x": "a=1"}
    elsewhere = (path[:-1], f"{path}/x?a=1", "/x?a=1", f"//x.example{path}?a=1")
    wrong: list[Any] = ["", 5, [], *elsewhere, *(f"{host}{path}?a=1" for host in HOSTS)]
    for uri in (None, *followed, *wrong):
        body = {**json.loads(answer.body), raw["x-pages"]["next"]: uri}
        sent = replace(answer, body=json.dumps(body).encode())
        with console.counted(sent), server.answering(functools.partial(_always, sent)):
            for way in FACADE:
                page = send(way, case, server, caller)[0].unwrap()
                if uri in wrong:
                    with pytest.raises(PACKAGE.APIResponseError):
                        caller.next_page(way, page)
                else:
                    assert (caller.next_page(way, page) is None) == (uri is None)
                queries = [exchange.query for exchange in server.journal[1:]]
                assert queries == [query for text, query in followed.items() if text == uri]


def _always(sent: Answer, _: Answer) -> Answer:
    return sent
