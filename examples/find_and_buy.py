"""Find local numbers, and buy as many as you want. On the real service this costs money.

    python examples/find_and_buy.py 512 3 found.jsonl

buys three numbers of area code 512. It asks first; further options are those of bulk_buy.py.
"""

import runpy
import sys

if len(sys.argv) < 4:
    sys.exit(__doc__)
area_code, count, results, *options = sys.argv[1:]
search = ["phone_numbers.search_local", "US", f"AreaCode={area_code}"]
sys.argv[1:] = ["bulk", "phone_numbers.purchase", "--count", count, "--results", results]
sys.argv += [*options, "--find", *search]
# In this process, so that Ctrl-C and signals reach the command.
runpy.run_module("signalwire_compat", run_name="__main__", alter_sys=True)
