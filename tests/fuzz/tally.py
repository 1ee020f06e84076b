"""What is said of each case: how many there were, and how to see a failing one again."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from hypothesis.errors import UnsatisfiedAssumption

from .budget import EXAMPLES, SEED

LOCAL = "http://127.0.0.1:8000"
"""Where `make mock` serves: printed commands go there, since a test's own mock is gone."""


@dataclass
class Tally:
    """The cases of one test so far, the calls they made, and which case was the first to fail."""

    name: str = ""
    run: str = ""
    cases: int = 0
    calls: int = 0
    failed_after: int | None = None

    def as_properties(self, seconds: float) -> list[tuple[str, object]]:
        """List all of it for the report of a test, which JUnit files hold as well."""
        return [*asdict(self).items(), ("seconds", round(seconds, 3))]


current = Tally()


def replay() -> str:
    """Write the command that runs the current test again as it was."""
    test, _, part = current.name.partition("[")
    slice_ = part.partition("]")[0]
    only = shlex.quote(f"{test} and {slice_}" if slice_.isidentifier() else test)
    return f"make fuzz FUZZ_SEED={SEED} FUZZ_EXAMPLES={EXAMPLES} FUZZ_ONLY={only}"


@contextmanager
def counted(
    shortest: Any, command: Callable[[], str] | None = None, *, cases: int = 1
) -> Iterator[None]:
    """Count a case; if it fails, say the case, its curl command, the seed and how to replay it."""
    current.cases += cases
    try:
        yield
    except UnsatisfiedAssumption:
        current.cases -= cases
        raise
    except Exception as error:
        if current.failed_after is None:
            current.failed_after = current.cases
        error.add_note(f"shortest case: {shortest!r}")
        if command:
            error.add_note(f"the same by hand, while `make mock` runs:\n  {command()}")
        error.add_note(f"seed: {SEED}; first seen at case {current.failed_after} of this test")
        error.add_note(f"to replay it:\n  {replay()}")
        raise
