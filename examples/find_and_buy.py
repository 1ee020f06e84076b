"""Find local numbers, and buy as many as you want. On the real service this costs money.

    python examples/find_and_buy.py 512 3 found.jsonl

buys three numbers of area code 512. It asks first; further options are those of bulk_buy.py.
"""

import subprocess
import sys

area_code, count, results, *options = sys.argv[1:]
command = [sys.executable, "-m", "signalwire_compat", "bulk", "phone_numbers.purchase"]
command += ["--count", count, "--results", results, *options]
command += ["--find", "phone_numbers.search_local", "US", f"AreaCode={area_code}"]
sys.exit(subprocess.run(command, check=False).returncode)
