"""How WebRTC reaches the network: which addresses and ports it uses.

aioice offers every address but loopback, and has no parameter for it. A server with several
networks, or one that must stay on this machine, wants to choose (`SALON_ICE_ADDRESSES`).
`docs/network.md` tells what to set where.
"""

import ipaddress
from collections.abc import Sequence

import aioice.ice
from aioice import Candidate, Connection

from pipeline.settings import Settings
from serving.ice_gathering import Gathering


def use_network(settings: Settings) -> None:
    """Let all connections of this process use the addresses and ports that are set."""
    use_addresses(settings.ice_address_list)
    Gathering(
        ports=settings.ice_port_range, public_addresses=settings.public_address_list
    ).install()


def use_addresses(addresses: Sequence[str]) -> None:
    """Offer only these addresses, and on loopback alone also talk to no other.

    Args:
        addresses: IP addresses of this machine; none leaves aioice as it is.
    """
    if not addresses:
        return
    by_version = {
        version: [a for a in addresses if ipaddress.ip_address(a).version == version]
        for version in (4, 6)
    }

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return (by_version[4] if use_ipv4 else []) + (by_version[6] if use_ipv6 else [])

    aioice.ice.get_host_addresses = get_host_addresses
    if all(ipaddress.ip_address(address).is_loopback for address in addresses):
        Connection.add_remote_candidate = _add_loopback_candidate  # pyright: ignore


_add_remote_candidate = Connection.add_remote_candidate


async def _add_loopback_candidate(
    connection: Connection, remote_candidate: Candidate | None
) -> None:
    """Drop what can't be reached from loopback: other hosts, and names that need multicast DNS."""
    if remote_candidate is None or _is_loopback(remote_candidate.host):
        await _add_remote_candidate(connection, remote_candidate)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
