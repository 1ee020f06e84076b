"""Buy a number with settings from the environment. On the real service this costs money.

    python examples/buy.py +15551234567

Numbers for sale are found in the dashboard of your Space; this one is for the mock alone.
"""

import sys

from signalwire_compat import RestClient, SignalWireError

# Project, token and host come from SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN, SIGNALWIRE_SPACE.
try:
    with RestClient(timeout=10) as client:
        number = client.compat.phone_numbers.purchase(
            PhoneNumber=sys.argv[1] if sys.argv[1:] else "+15551234567",
            FriendlyName="Main Line",
            # Placeholders: give URLs of your own, or leave them out.
            VoiceUrl="https://example.com/voice",
            StatusCallback="https://example.com/status",
        )
except SignalWireError as error:
    sys.exit(str(error))
print(f"{number.phone_number} is yours: {number.sid}")
