"""Over many purchases and faults in any order, nothing is bought twice and nothing lost."""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from signalwire_compat import SignalWireError

from tests.transport.fault_server import FaultServer
from tests.transport.faults.callers import CALLERS, Caller
from tests.transport.faults.losses import Result, bought_or_unknown, losses
from tests.transport.faults.rows import BY_NAME, FAULTS
from tests.transport.faults.run import ALL_KINDS
from tests.transport.faults.table import Kind


def buy(caller: Caller, number: str, timeout: float) -> Result:
    try:
        return caller.purchase(number, timeout)
    except SignalWireError as error:
        return error


# Two that take their time are enough among those that do not.
STALLS = ("stall-after-executing", "stall-in-the-body-after-the-sid")
# What comes on an idle connection needs idle time: on a busy one nobody can tell it from a reply.
DRAWN = [
    fault.name
    for fault in FAULTS
    if (fault.quick or fault.name in STALLS or (fault.before and fault.timeout == 10))
    and not fault.idle_seconds
]
EXECUTING = [
    fault.name for fault in FAULTS if fault.quick and fault.executed == fault.requests == 1
]
# Numbers that hypothesis draws itself are mostly small, and lists of them alike.
SEEDS = st.integers(0, 2**64)
# Pairs of sequences and the purchases in each.
SEQUENCES = [(1, 20), pytest.param((10, 50), marks=pytest.mark.slow)]


def repeat(sequences: int) -> settings:
    return settings(
        max_examples=sequences,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def play_sequence(kind: Kind, names: list[str]) -> tuple[FaultServer, dict[str, Result]]:
    """Let one client buy numbers, one fault after the other, on the connections that survive."""
    results: dict[str, Result] = {}
    with FaultServer() as server:
        caller = CALLERS[kind](server.host)
        try:
            for index, name in enumerate(names):
                fault = BY_NAME[name]
                server.play(*fault.scripts)
                for turn in range(fault.before + 1):
                    number = f"+1310{index:05}{turn:02}"
                    results[number] = buy(caller, number, fault.timeout)
        finally:
            caller.close()
        assert server.wait_for(lambda: server.open_connections == 0)
    return server, results


@pytest.mark.parametrize("sequences", SEQUENCES)
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_no_purchase_of_a_random_sequence_of_faults_is_lost_or_doubled(
    kind: Kind, sequences: tuple[int, int]
) -> None:
    @repeat(sequences[0])
    @given(seed=SEEDS)
    def check(seed: int) -> None:
        assert losses(*play_sequence(kind, Random(seed).choices(DRAWN, k=sequences[1]))) == []

    check()


@pytest.mark.parametrize("sequences", SEQUENCES)
# Over connections that aiohttp keeps a request can meet the goodbye of the server: it is unknown.
@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "httpx-aiohttp"])
def test_what_was_executed_is_what_was_bought_and_what_is_unknown(
    kind: Kind, sequences: tuple[int, int]
) -> None:
    @repeat(sequences[0])
    @given(seed=SEEDS)
    def check(seed: int) -> None:
        server, results = play_sequence(kind, Random(seed).choices(EXECUTING, k=sequences[1]))
        assert losses(server, results) == []
        assert server.purchases == bought_or_unknown(results)

    check()
