"""Start the servers and clients of the benchmarks, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Each has an environment of its own below .build/, apart from .venv.
REQUIREMENTS = {"signalwire_sdk": "signalwire-sdk==3.0.2", "twilio": "twilio==9.13.0"}


class Process(subprocess.Popen[str]):
    """A running script that answers each line with one line. It ends with the `with` block."""

    def __init__(self, script: str, *arguments: str, python: str = sys.executable) -> None:
        """Start `script`, a file beside this one."""
        super().__init__(
            [python, str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", "PYTHONWARNINGS": "ignore"},
        )

    def read_line(self) -> str:
        """Return its next line. Errors: `RuntimeError` if it ended."""
        line = self.stdout.readline() if self.stdout else ""
        if not line:
            raise RuntimeError(f"{self.args!r} ended with {self.wait()}")
        return line.strip()

    def ask(self, line: str = "") -> str:
        """Send a line and return the answer."""
        print(line, file=self.stdin, flush=True)
        return self.read_line()


class Worker(Process):
    """One of the clients of worker.py."""

    def __init__(self, client: str, url: str) -> None:
        """Start it."""
        super().__init__("worker.py", client, url, python=python_of(client))

    def make(self, count: int, at_a_time: int, call: str = "purchase") -> dict[str, float]:
        """Make `count` calls, `at_a_time` of them at once. Returns the figures of the batch."""
        return dict(json.loads(self.ask(f"{count} {at_a_time} {call}")))


def python_of(client: str) -> str:
    """Return the Python that can import `client`; create its environment if necessary."""
    requirement = REQUIREMENTS.get(client.removesuffix("_async"))
    if not requirement:
        return sys.executable
    folder = HERE.parent / ".build" / "bench" / requirement
    python = str(folder / "bin" / "python")
    if not (folder / "ready").exists():
        print(f"Setting up {requirement}: about half a minute, this once.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", requirement], check=True)
        (folder / "ready").touch()
    return python
