"""How often somebody may do something: the generic cell rate algorithm (GCRA). Pure.

One number is kept for each client, the theoretical arrival time: when it would be due if it had
come at the even rate. However many clients come, no more than `MAX_CLIENTS` are remembered.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

MAX_CLIENTS = 10_000
"""About 2 MB. Who comes with more addresses than this is not stopped by counting each of them."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So many at once, and over time so many in a period.

    Parameters:
        count: How many.
        period_s: In which time, in seconds.
    """

    count: int
    period_s: float = 60.0


class RateLimit:
    """Counts what each client does against one rate.

    Parameters:
        rate: What each may do.
        max_clients: How many are remembered; the one that was seen longest ago is forgotten first.
    """

    def __init__(self, rate: Rate, *, max_clients: int = MAX_CLIENTS):
        self._rate = rate
        self._interval_s = rate.period_s / rate.count
        self._max_clients = max_clients
        self._due_s: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._due_s)

    def wait_s(self, client: str, now_s: float) -> float:
        """How long a client has to wait, in seconds; 0 when it need not. Nothing is counted."""
        early_s = self._due_s.get(client, now_s) - now_s
        return max(0.0, early_s + self._interval_s - self._rate.period_s)

    def count(self, client: str, now_s: float) -> None:
        """Count one, at a monotonic time in seconds."""
        due_s = max(self._due_s.pop(client, now_s), now_s) + self._interval_s
        # Who does more than it may is not made to wait ever longer.
        self._due_s[client] = min(due_s, now_s + self._rate.period_s)
        while len(self._due_s) > self._max_clients or self._is_oldest_free(now_s):
            self._due_s.popitem(last=False)

    def _is_oldest_free(self, now_s: float) -> bool:
        return next(iter(self._due_s.values())) <= now_s


def client_of(address: str | None) -> str:
    """What a network address counts as: an IPv6 client has a whole /64 to itself.

    Args:
        address: As the connection has it; None (a Unix socket) and names count as themselves.
    """
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "local"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((ip, 64), strict=False))
