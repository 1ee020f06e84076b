"""A program that starts a command again and again, each time in a fork of itself: that is fast.

It reads a line for each start, a JSON list of arguments, and prints two: the id of the process,
and how it ended.
"""

import json
import os
import sys
from importlib.metadata import entry_points

(entry,) = entry_points(group="console_scripts", name=sys.argv[1])
command = entry.load()
for line in sys.stdin:
    process = os.fork()
    if not process:
        sys.argv[1:] = json.loads(line)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(command())
    sys.stdout.write(f"{process}\n")
    sys.stdout.flush()
    sys.stdout.write(f"{os.waitpid(process, 0)[1]}\n")
    sys.stdout.flush()
