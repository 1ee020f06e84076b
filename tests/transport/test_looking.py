"""Over purchases and looks that fail at random, nothing is bought twice, lost or mistaken."""

import pytest

from tests.transport.looking import KINDS, numbers, play, play_kills

SEED = 20


@pytest.mark.parametrize("kind", KINDS)
def test_every_executed_purchase_is_returned_or_raised_as_unknown_and_none_is_mistaken(
    kind: str,
) -> None:
    first = 125 * KINDS.index(kind)
    figures, problems = play(kind, SEED, numbers(125, first))
    assert problems == []
    assert figures["of them found by looking"] > 20


def test_the_successors_of_a_killed_program_lose_nothing_and_buy_nothing_twice() -> None:
    figures, problems = play_kills(SEED, kills=8)
    assert problems == []
    assert figures["killed"] == 8
