"""Whenever the command is killed, nothing is bought twice and nothing that was bought is lost."""

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.bulk.conftest import PURCHASE, finding, purchases, records

KILLS = int(os.environ.get("KILLS", "200"))
WANTED = 12


@dataclass
class Killer:
    """Starts the command, and kills it at a random moment."""

    program: "subprocess.Popen[str]"
    random: random.Random
    process: int = 0
    requests_left: int = 0
    kills: int = 0

    def run(self, mock: MockServer, arguments: list[str]) -> bool:
        """Run the command until it is killed or ends. Returns whether it did everything."""
        assert self.program.stdin
        assert self.program.stdout
        self.program.stdin.write(json.dumps(arguments) + "\n")
        self.program.stdin.flush()
        self.process = int(self.program.stdout.readline())
        by_time = self.random.random() < 0.5
        self.requests_left = 0 if by_time else self.random.randint(1, 12)
        timer = threading.Timer(self.random.uniform(0, 0.15), self.kill)
        if by_time:
            timer.start()
        with mock.answering(self.count):
            status = int(self.program.stdout.readline())
        timer.cancel()
        self.kills += status == signal.SIGKILL
        return status == 0

    def count(self, answer: Answer) -> Answer:
        """Kill the process after some requests, before it gets the reply to the last one."""
        self.requests_left -= 1
        if not self.requests_left:
            self.kill()
        return answer

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)


@pytest.fixture
def killer(mock: MockServer) -> Iterator[Killer]:
    script = Path(__file__).with_name("forking_command.py")
    with subprocess.Popen(
        [sys.executable, script, "signalwire-compat"],
        env={**os.environ, **mock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        yield Killer(program, random.Random(0))


@pytest.mark.parametrize("kills", [20, pytest.param(KILLS, marks=pytest.mark.slow)])
def test_no_kill_and_no_lost_reply_doubles_or_loses_a_purchase(
    killer: Killer, mock: MockServer, tmp_path: Path, kills: int
) -> None:
    for job in itertools.count():
        mock.reset()
        results, numbers = tmp_path / f"{job}.jsonl", tmp_path / f"{job}.csv"
        rows = [f"+1556{job:03}{row:04}" for row in range(WANTED)]
        numbers.write_text("\n".join(["PhoneNumber", *rows]), "utf-8")
        by_list = ["bulk", PURCHASE, str(numbers), str(results)]
        arguments = by_list if job % 2 else finding(results, WANTED)
        while not killer.run(mock, [*arguments, "--yes", "--settle", "0.2"]):
            if killer.random.random() < 0.2:
                mock.inject(drop=True, operation="purchase")
            if killer.random.random() < 0.2:
                mock.inject(status=502, carried_out=True, operation="purchase")
            if killer.random.random() < 0.05:
                mock.inject(drop=True, operation="list")
        executed = {number["phone_number"]: number["sid"] for number in mock.phone_numbers()}
        done = (record for record in records(results) if record["outcome"] == "done")
        assert {r["arguments"]["PhoneNumber"]: r["sid"] for r in done} == executed
        assert len(executed) == mock.charges() == WANTED
        assert max(purchases(mock).values()) == 1
        if killer.kills >= kills and job:
            return
