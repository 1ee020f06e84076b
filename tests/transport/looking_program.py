"""Buys numbers, and can be killed at any time: its successor asks what became of them.

Arguments: host, a journal, and the numbers. A line of the journal is a word and a number: `asked`
before a purchase, then `bought` with a SID, `unknown` or `refused`.
"""

import logging
import os
import sys
import time
from pathlib import Path

from signalwire_compat import RestClient, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
# Seconds after which the server executes nothing of what a dead process sent.
LATEST = 0.7


def ask(client: RestClient, number: str) -> IncomingPhoneNumber | None:
    """Look what became of a purchase, once it can't be under way any more."""
    time.sleep(LATEST)
    while True:
        try:
            return client.look_up(client.compat.phone_numbers.purchase, PhoneNumber=number)
        except SignalWireError:
            continue  # A later look is answered.


def buy(client: RestClient, number: str) -> str:
    """Buy a number; give the line for the journal."""
    try:
        bought = client.compat.phone_numbers.purchase(PhoneNumber=number)
    except SignalWireError as error:
        return f"{'unknown' if error.outcome_unknown else 'refused'} {number}"
    return f"bought {number} {bought.sid}"


def main(host: str, journal: str, *numbers: str) -> None:
    """Go on where the journal ends."""
    logging.getLogger("signalwire_compat").setLevel(logging.CRITICAL)
    file = Path(journal)
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    outcomes = {number: word for word, number, *_ in map(str.split, lines)}
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with RestClient(PROJECT, "PT0", host, timeout=0.5, look_up_timeout=1.5) as client:
        for number in numbers:
            if outcomes.get(number, "asked") != "asked":
                continue
            found = ask(client, number) if number in outcomes else None
            if found:
                line = f"bought {number} {found.sid}"
            else:
                os.write(descriptor, f"asked {number}\n".encode())
                line = buy(client, number)
            os.write(descriptor, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
