"""Programs that this one starts: an end by Ctrl-C lets them report what they found."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

INTERRUPTED = 130
"""The status of a command that Ctrl-C or SIGTERM ended, as shells have it."""
_LAST_SECONDS = 10


def wait_for(
    command: Sequence[str],
    settings: Mapping[str, str],
    *,
    stdout: IO[str] | None = None,
    seconds: float | None = None,
) -> int:
    """Run a program and return its status: INTERRUPTED after a signal.

    Errors: `TimeoutError` after `seconds`, once it had time to report.
    """
    environment = {**os.environ, **settings}
    # In a group of its own, so that Ctrl-C reaches it once: through this process.
    with subprocess.Popen(command, env=environment, stdout=stdout, process_group=0) as process:  # noqa: S603  # ours
        try:
            return process.wait(seconds)
        except KeyboardInterrupt:
            _end(process)
            return INTERRUPTED
        except subprocess.TimeoutExpired:
            _end(process)
            raise TimeoutError from None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(_LAST_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # Its workers, too.
