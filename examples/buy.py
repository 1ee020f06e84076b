"""Buy a number with settings from the environment. On the real service this costs money."""

from signalwire_compat import RestClient

# Project, token and host come from SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN, SIGNALWIRE_SPACE.
with RestClient(timeout=10) as client:
    number = client.compat.phone_numbers.purchase(
        PhoneNumber="+15551234567",
        FriendlyName="Main Line",
        VoiceUrl="https://example.com/voice",
        StatusCallback="https://example.com/status",
    )
    print(f"{number.phone_number} is yours: {number.sid}")
