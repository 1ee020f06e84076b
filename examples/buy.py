"""Buy a number with settings from the environment. On the real service this costs money.

    python examples/buy.py +15551234567

A search finds numbers for sale; this one is for the mock alone.
"""

import sys

from signalwire_compat import RestClient, SignalWireError

if len(sys.argv) != 2:
    sys.exit("Name the number to buy, such as +15551234567. A search finds numbers for sale.")
# Project, token and host come from SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN, SIGNALWIRE_SPACE.
try:
    with RestClient(timeout=10) as client:
        number = client.compat.phone_numbers.purchase(PhoneNumber=sys.argv[1])
except SignalWireError as error:
    sys.exit(str(error))
print(f"{number.phone_number} is yours: {number.sid}")
