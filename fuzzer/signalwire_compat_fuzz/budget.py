"""The time that is left: for the whole run, and for each of its tests."""

import os
import time

END = float(os.environ.get("FUZZ_END") or 0)
"""When the run must end, as `time.time()` says it; 0 for no limit."""
NO_TIME = "no time is left"
"""Why a test does not begin."""
_LEAST = 0.1
_SLACK = 2
"""How many times its share a test may take: most need less than theirs."""


class Budget:
    """The share of one process: tests that begin later get what is left of it."""

    def __init__(self) -> None:
        self.waiting = 1.0
        self._deadline = END

    def begin(self, *, is_capped: bool) -> None:
        """Give the next test its share; one that is not capped may use all that is left."""
        self._deadline = END
        if END and is_capped:
            share = (END - time.time()) / max(1.0, self.waiting)
            self._deadline = min(END, time.time() + max(_LEAST, _SLACK * share))
        self.waiting -= 1

    def is_over(self) -> bool:
        return bool(END) and time.time() >= self._deadline


def left() -> float:
    """Return the seconds that are left of the run; 0 or less if it is over."""
    return END - time.time() if END else float("inf")


BUDGET = Budget()
