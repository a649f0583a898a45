"""Keeps aiortc on the loopback interface, which aioice leaves out by itself."""

import aioice.ice


def use_loopback_only() -> None:
    """Offers 127.0.0.1 and nothing else."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
