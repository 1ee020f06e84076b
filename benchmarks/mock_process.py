"""The mock server in a process of its own, which says how much CPU it has used.

It prints its address, then the seconds of CPU so far for each line of standard input.
"""

from __future__ import annotations

import sys
import time

from signalwire_compat_mock import MockServer
from worker import TOKEN

if __name__ == "__main__":
    with MockServer(token=TOKEN) as mock:
        print(mock.url, flush=True)
        for _ in sys.stdin:
            print(time.process_time(), flush=True)
