"""What was measured, for people: on the terminal, and in docs/evidence/benchmarks.md."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from processes import HERE, REQUIREMENTS, Batch

PAGE = HERE.parent / "docs" / "evidence" / "benchmarks.md"


@dataclass(frozen=True)
class Line:
    """One thing that was measured: its median, its quartiles, and what it should be."""

    words: str
    value: float
    spread: tuple[float, float]
    target: float
    at_least: bool = False
    detail: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def cells(self) -> list[str]:
        """The line as cells of a table."""
        low, high = map(self._written, self.spread)
        target = f"{'at least' if self.at_least else 'at most'} {self._written(self.target)}"
        verdict = "met" if self.is_met else "**missed**"
        return [
            self.words,
            self._written(self.value),
            f"{low} to {high}",
            self.detail,
            target,
            verdict,
        ]

    def _written(self, value: float) -> str:
        return f"{value:,.0f}" if self.at_least else f"{value:.2f}"


class Report:
    """The lines so far."""

    def __init__(self) -> None:
        """Start without a line."""
        self._lines: list[Line] = []

    def add(self, line: Line) -> None:
        """Take a line, and print it."""
        self._lines.append(line)
        words, value, spread, detail, target, verdict = line.cells
        print(
            f"{words:58} {value:>6}  ({spread})  {target}: {verdict.strip('*')}  {detail}",
            flush=True,
        )

    def verdict(self) -> int:
        """Say which targets are missed; 0 if none is, else 1."""
        missed = [line.words for line in self._lines if not line.is_met]
        print("missed: " + "; ".join(missed) if missed else "All targets are met.")
        return 1 if missed else 0

    def write(self, at_a_time: list[int], batches: dict[str, list[Batch]]) -> None:
        """Write the page."""
        PAGE.write_text("\n".join(self._page(at_a_time, batches)) + "\n", "utf-8")

    def _page(self, at_a_time: list[int], batches: dict[str, list[Batch]]) -> Iterator[str]:
        yield "<!-- Written by make bench from benchmarks/. Do not edit. -->"
        yield (HERE / "page.md").read_text("utf-8")
        names = ("What", "Median", "Quartiles", "Of", "Target", "")
        yield from _table(names, [line.cells for line in self._lines])
        yield "\n## Over concurrency\n"
        yield "![Latency and throughput over concurrency, for each client](benchmarks.svg)\n"
        yield "Median latency in milliseconds, and purchases a second of wall-clock time:\n"
        rows = [
            [client, *(f"{batch.latency * 1000:.1f} ms, {batch.a_second:,.0f}/s" for batch in done)]
            for client, done in batches.items()
        ]
        yield from _table(("Client", *map(str, at_a_time)), rows)
        yield f"\n## Measured on\n\n{machine()}"


def _table(names: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def machine() -> str:
    """Name the machine and all versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        text = info.read_text("utf-8")
        cores = text.count("processor\t")
        model = text.partition("model name\t: ")[2].partition("\n")[0]
        cpu = f"{model}, {cores} cores"
    names = ("signalwire-compat", "attrs", "httpx", "httpcore", "h11", "anyio", "aiohttp")
    ours = (f"{name} {version(name)}" for name in names)
    theirs = (name.replace("==", " ") for key, name in REQUIREMENTS.items() if key != "chart")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = ", ".join((python, *ours, *theirs))
    return f"{cpu}; {platform.system()} {platform.machine()}; {versions}."
