"""Runs every row against all kinds of clients, prints the table, and writes docs/evidence/reliability.md.

Names of rows or groups as arguments run those alone, and write nothing. The exit status is 1 if a
row is not clean.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from .page import DOCUMENT, document, requests_in_words
from .rows import FAULTS
from .run import ALL_KINDS, Outcome, Results, run_all
from .table import KINDS, Fault


def main(arguments: Sequence[str]) -> int:
    """Run the rows that the arguments name, or all of them."""
    faults = [f for f in FAULTS if not arguments or {f.name, f.group} & set(arguments)]
    if not faults:
        print(f"no row and no group is called {' or '.join(arguments)}", file=sys.stderr)
        return 2
    names = [fault.name for fault in faults]
    bad = 0
    group = ""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1), mp_context=context) as pool:
        for fault, results in zip(faults, pool.map(run_all, names), strict=True):
            if fault.group != group:
                group = fault.group
                print(f"\n{group}\n{_line('fault', *ALL_KINDS, 'requests', 'bought')}promise")
            print(_shown(fault, results))
            bad += any(outcome.problems for outcome in results.values())
    if not arguments:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(document(), "utf-8")
    print(f"\n{len(faults)} faults, {len(faults) - bad} clean, {bad} not clean")
    return 1 if bad else 0


def _shown(fault: Fault, results: Results) -> str:
    words = (_word(results.get(kind)) for kind in ALL_KINDS)
    requests = _seen([results[kind].requests for kind in KINDS], requests_in_words(fault))
    executed = _seen([results[kind].executed for kind in KINDS], str(fault.executed))
    line = _line(fault.name, *words, requests, executed) + fault.promise.words
    problems = (f"    {kind}: {text}" for kind in results for text in results[kind].problems)
    return "\n".join([line, *problems])


def _word(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    return "not clean" if outcome.problems else "clean"


def _seen(counts: list[int], promised: str) -> str:
    """Give a count that was the same for both clients, or both of them."""
    seen = "/".join(str(count) for count in dict.fromkeys(counts))
    return seen if seen == promised else f"{seen} ({promised})"


def _line(name: str, *cells: str) -> str:
    return f"  {name:<56}{''.join(f'{cell:<15}' for cell in cells)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
