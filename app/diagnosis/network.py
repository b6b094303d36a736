"""What keeps the box from reaching anybody."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from app.control.views import Finding, NetworkFact, Severity


def of_network(network: Sequence[NetworkFact] | None) -> Iterator[Finding]:
    if network is None:
        return
    addresses = [address for each in network for address in each.addresses if _reaches(address)]
    if not addresses:
        yield Finding(
            kind="no address",
            severity=Severity.WARNING,
            title="The box has no address in the network",
            evidence=" ".join(_stands(each) for each in network) or "It has no network interface.",
            remedy="Plug the network cable in, and look whether the light beside it is on. Then ask the administrator "
            "of the network whether it gives out addresses (DHCP) there.",
        )
    elif not any(each.gateways for each in network):
        yield Finding(
            kind="no default route",
            severity=Severity.WARNING,
            title="The box knows no way out of its own network",
            evidence=f"It has the address {', '.join(addresses)}, but no gateway.",
            remedy="A phone system in the same network is reached all the same. For one elsewhere, ask the "
            "administrator of the network to give the box a gateway (DHCP, or by hand).",
        )


def _reaches(address: str) -> bool:
    """Link-local ones are what a box gives itself when nobody gives it any."""
    return not ipaddress.ip_interface(address).is_link_local


def _stands(fact: NetworkFact) -> str:
    return f"{fact.interface}: {'the link is up, but nobody gave it an address' if fact.up else 'the link is down'}."
