"""Show what was measured: on the terminal, and in docs/evidence/benchmarks.md."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from processes import HERE, REQUIREMENTS

PAGE = HERE.parent / "docs" / "evidence" / "benchmarks.md"
COLUMNS = ("What", "Median", "Quartiles", "Of", "Target", "")
DISTRIBUTIONS = ("signalwire-compat", "attrs", "httpx", "httpcore", "h11", "anyio", "sniffio")


class Line(NamedTuple):
    """One thing that was measured, with a sample for each round, and its target if it has one."""

    what: str
    samples: Sequence[float]
    target: float | None
    detail: str = ""
    at_least: bool = False

    @property
    def is_missed(self) -> bool:
        """True if the median is on the wrong side of the target."""
        excess = median(self.samples) - (self.target or 0)
        return self.target is not None and (excess < 0 if self.at_least else excess > 0)

    @property
    def cells(self) -> list[str]:
        """The line as a row of the table."""
        style = ",.0f" if self.at_least else ".2f"
        low, middle, high = (f"{value:{style}}" for value in quantiles(self.samples))
        target = verdict = ""
        if self.target is not None:
            target = f"{'at least' if self.at_least else 'at most'} {self.target:{style}}"
            verdict = "**missed**" if self.is_missed else "met"
        return [self.what, middle, f"{low} to {high}", self.detail, target, verdict]


def write_page(lines: list[Line], concurrency: list[list[str]]) -> None:
    """Write the page. `concurrency` is the second table, its first row the names of the columns."""
    measured = table([COLUMNS, *(line.cells for line in lines)])
    text = (HERE / "page.md").read_text("utf-8")
    text = text.format(lines=measured, concurrency=table(concurrency), machine=machine())
    PAGE.write_text(text, "utf-8")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Format a table in Markdown."""
    first, *others = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([first, f"|{' --- |' * len(rows[0])}", *others])


def machine() -> str:
    """Name the processor, the system and the version of everything that was compared."""
    info = Path("/proc/cpuinfo").read_text("utf-8")
    model = info.partition("model name\t: ")[2].partition("\n")[0] or platform.machine()
    cores = info.count("processor\t")
    versions = [f"{name} {version(name)}" for name in DISTRIBUTIONS]
    versions += [requirement.replace("==", " ") for requirement in REQUIREMENTS.values()]
    return (
        f"{model}, {cores} cores; {platform.system()} {platform.machine()}; "
        f"CPython {platform.python_version()}, {', '.join(versions)}."
    )
