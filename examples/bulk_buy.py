"""Buy the numbers of a CSV file. On the real service this costs money, so the command asks first.

    python examples/bulk_buy.py examples/numbers.csv results.jsonl

Run it again after a failure: what was bought is not bought again. Add --dry-run to see what it
would buy, --limit 5 to stop after five purchases, or --yes to answer the question beforehand.
"""

import runpy
import sys

sys.argv[1:1] = ["bulk", "phone_numbers.purchase"]
# In this process, so that Ctrl-C and signals reach the command.
runpy.run_module("signalwire_compat", run_name="__main__", alter_sys=True)
