"""What the benchmarks run: environments, servers, and clients, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent / ".build" / "bench"
# What is compared with lives in environments that are thrown away with .build/.
REQUIREMENTS = {
    "signalwire_sdk": "signalwire-sdk==3.0.2",
    "twilio": "twilio==9.13.0",
    "chart": "matplotlib==3.11.2",
}


def python_of(client: str) -> str:
    """Give the Python that has a client; its environment is made when it is not there."""
    name = client.removesuffix("_async")
    if name not in REQUIREMENTS:
        return sys.executable
    folder = ENVIRONMENTS / REQUIREMENTS[name]
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "ready").exists():
        print(f"Setting up {folder.name}: about half a minute, this once.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*install, REQUIREMENTS[name]], check=True)
        (folder / "ready").touch()
    return str(python)


@dataclass(frozen=True)
class Batch:
    """What a batch of purchases took: seconds of one process, and its peak memory in kilobytes."""

    count: int
    cpu: float
    wall: float
    latencies: list[float]
    memory: int

    @property
    def cpu_per_purchase(self) -> float:
        """Seconds of CPU."""
        return self.cpu / self.count

    @property
    def latency(self) -> float:
        """The median, in seconds."""
        return median(self.latencies)

    @property
    def a_second(self) -> float:
        """Purchases a second of wall-clock time."""
        return self.count / self.wall


class Process:
    """A process that answers each line with a line. A context manager; it ends with the block."""

    def __init__(self, script: str, *arguments: str, python: str = sys.executable) -> None:
        """Start it; `script` is a file beside this one."""
        self._script = script
        # No proxy or token of this machine takes part.
        outside = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        self._process = subprocess.Popen(
            [python, str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**outside, "PYTHONWARNINGS": "ignore"},
        )

    def read(self) -> str:
        """Give its next line. Errors: `RuntimeError` when it ended."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._script} ended with {self._process.wait()}")
        return line.strip()

    def ask(self, line: str) -> str:
        """Send a line, and give the answer to it."""
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.read()

    def __enter__(self) -> Self:
        """Nothing to do: it runs."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Worker(Process):
    """A client in a process of its own."""

    def __init__(self, client: str, url: str) -> None:
        """Start it; see worker.py."""
        super().__init__("worker.py", client, url, python=python_of(client))

    def buy(self, count: int, at_a_time: int) -> Batch:
        """Buy that many numbers."""
        taken: dict[str, Any] = json.loads(self.ask(f"{count} {at_a_time}"))
        return Batch(count=count, **taken)


def _is_setting(name: str) -> bool:
    return name.lower().endswith("_proxy") or name.startswith("SIGNALWIRE_")
