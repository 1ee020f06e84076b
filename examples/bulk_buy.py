"""Buy the numbers of a CSV file. On the real service this costs money, so the command asks first.

    python examples/bulk_buy.py examples/numbers.csv results.jsonl

Run it again after a failure: what was bought is not bought again. Add --dry-run to see what it
would buy, --limit 5 to stop after five purchases, or --yes to answer the question beforehand.
"""

import subprocess
import sys

command = [sys.executable, "-m", "signalwire_compat", "bulk", "phone_numbers.purchase"]
sys.exit(subprocess.run([*command, *sys.argv[1:]], check=False).returncode)
