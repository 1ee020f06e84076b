"""Report what changed for callers since a base.

Compares the contract, the Python API and what is sent. Prints the report and writes it to a file.
The exit status is 1 if the version is too low for the changes, or CHANGELOG.md has no entry for it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from contract_diff.checkouts import DiffError, Tree, check_out, default_base
from contract_diff.report import compare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `--help`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", default="", help="a tag, branch or commit")
    parser.add_argument("--output", type=Path, default=Path("reports/diff.md"))
    options = parser.parse_args(arguments)
    try:
        base = options.base or default_base()
        if not base:
            sys.stdout.write("There is no main branch or release here to compare with.\n")
            return 0
        with tempfile.TemporaryDirectory() as folder:
            report = compare(check_out(base, Path(folder)), Tree(Path.cwd()))
    except (DiffError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    text = report.markdown()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 1 if report.problem else 0


if __name__ == "__main__":
    sys.exit(main())
