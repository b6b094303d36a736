"""How long whoever guesses passwords must wait. Time is an argument, in seconds of `time.monotonic`.

Nobody is locked out: the wait is per address, and ends at LONGEST_S. A try counts as failed from its beginning on, so
that many at once are not many for the price of one.
"""

from __future__ import annotations

import ipaddress

from provisioning.slate import Slate

FREE_TRIES = 3
FIRST_S, LONGEST_S = 1.0, 30.0
FORGOTTEN_AFTER_S = 900.0
ADDRESSES = 1000
"""An attacker with more addresses than this on the office network pushes out the oldest, and has other ways in."""

_IPV6_NETWORK = 64
"""One machine may take any address of its IPv6 network, so all of them together are one guesser."""


class Throttle:
    """`section` of the slate: each kind of secret has its own, so that who guesses one keeps nobody from another.
    `free_tries`: looked at without a wait."""

    def __init__(self, slate: Slate, section: str = "failures", free_tries: int = FREE_TRIES) -> None:
        self._slate, self._section, self._free_tries = slate, section, free_tries

    def admit(self, address: str, now_s: float) -> float:
        """0: look at this try, and say so if it `succeeded`. Otherwise the seconds until the next one is looked at."""
        guesser = _guesser(address)
        with self._slate.held(self._section) as failures:
            count, last_s = failures.get(guesser, (0, 0.0))
            if now_s - last_s > FORGOTTEN_AFTER_S:
                count = 0
            wait_s = last_s + self._delay_s(count) - now_s
            if wait_s > 0:
                return float(wait_s)
            failures.pop(guesser, None)
            failures[guesser] = (count + 1, now_s)
            while len(failures) > ADDRESSES:
                del failures[next(iter(failures))]
        return 0.0

    def succeeded(self, address: str) -> None:
        with self._slate.held(self._section) as failures:
            failures.pop(_guesser(address), None)

    def _delay_s(self, failures: int) -> float:
        over = failures - self._free_tries
        return 0.0 if over < 0 else min(LONGEST_S, FIRST_S * 2.0 ** min(over, 30))


def _guesser(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a test's, or a proxy's: whatever it is called
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
