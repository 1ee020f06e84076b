"""Schemathesis with our checks against mocks that are broken on purpose."""

import functools
import json
import re
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

import pytest
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz import server_run
from signalwire_compat_fuzz.credentials import TOKEN
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT

Change = Callable[[Answer], Answer]
slow = functools.partial(pytest.param, marks=pytest.mark.slow)


def success(kind: type, change: Callable[[dict[str, Any], str], object]) -> Change:
    """Make a broken mock that spoils the first member of a kind in the JSON of each success."""

    def spoil(answer: Answer) -> Answer:
        if answer.status >= 300 or not doc.is_json(answer.headers.get("content-type")):
            return answer
        body = json.loads(answer.body)
        members = body if isinstance(body, dict) else {}
        for name in [name for name, value in members.items() if isinstance(value, kind)][:1]:
            change(body, name)
        return replace(answer, body=json.dumps(body).encode())

    return spoil


def status(old: Container[int], new: int) -> Change:
    """Make a broken mock that answers with another status; the body stays."""
    return lambda answer: replace(answer, status=new) if answer.status in old else answer


def accepting(refused: Container[int]) -> Change:
    """Make a broken mock that answers refused requests like the last success of the operation."""
    successes: dict[str | None, Answer] = {}

    def accept(answer: Answer) -> Answer:
        if answer.status < 300:
            successes[answer.operation_id] = answer
        is_refused = answer.status in refused
        return successes.get(answer.operation_id, answer) if is_refused else answer

    return accept


_ODD = "one_odd_member"
HTML = {"content-type": "text/html"}
INVALID_STATUSES = {400, *range(402, 500)}
OTHER_REFUSALS = INVALID_STATUSES - {400, 405}
"""A check of its own wants 405 for a method that no path has."""
BROKEN_MOCKS: dict[str, tuple[str, Change]] = {
    "a member is missing": ("violates schema", success(str, lambda b, name: b.pop(name))),
    "a boolean is text": ("violates schema", success(bool, lambda b, name: b.update({name: "x"}))),
    "a success has a status of its own": ("Undocumented status code", status(range(300), 299)),
    "a refusal has a status of its own": ("Undocumented status code", status(OTHER_REFUSALS, 418)),
    "a reply is not JSON": ("Undocumented Content-Type", lambda a: replace(a, headers=HTML)),
    "the invalid is accepted": (
        f"Schema-violating request accepted|{_ODD}",
        accepting(INVALID_STATUSES),
    ),
    "the valid is refused": (f"valid request rejected|{_ODD}", status(range(300), 422)),
    "credentials do not matter": ("accepts requests without authentication", accepting({401})),
    "what is invalid ends in a failure": ("Server error", status([400], 500)),
}


FIRST, *OTHERS = BROKEN_MOCKS


@pytest.mark.parametrize("name", [FIRST, *(slow(name) for name in OTHERS)])
def test_schemathesis_turns_red_against_a_broken_mock(name: str) -> None:
    finding, change = BROKEN_MOCKS[name]
    options = ["--auth", f"{PROJECT}:{TOKEN}", "--max-failures=1"]
    options += ["--exclude-checks", "use_after_free,echo"]  # As `make fuzz` does.
    with (
        MockServer(token=TOKEN, forgetful=True, allow_import=True) as server,
        server.answering(change),
    ):
        ended = server_run.run(server.url, *options, seed=1, examples=40)
    assert ended.status == 1
    found = "\n".join(text for _, text, *_ in ended.results["findings"])
    assert re.search(f"({finding})(.|\n)*curl -X", found), found
