"""A plugin of pytest: plants the bug that FUZZ_PROOF_BUG names, before any test is imported."""

import os

from .bugs import BUGS

for _bug in BUGS:
    if f"{_bug.place}: {_bug.name}" == os.environ["FUZZ_PROOF_BUG"] and _bug.plant:
        _bug.plant()
