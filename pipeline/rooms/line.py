"""How good the bot's own line into the room is, as Daily tells it. Pure.

Daily measures its client's line, every two seconds, and says when a connection is interrupted.
"""

import math
from collections.abc import Mapping
from typing import Any

from pipeline.line_quality import HIGHEST, Count, LineQuality
from pipeline.network_stats import NetworkStats

_OF = 1000
"""Daily tells which part of its packets was lost, and not how many they were."""
_THRESHOLDS = {"low": 0.5, "very-low": HIGHEST}
"""Daily's own judgement, of half a minute."""


class RoomsLine:
    """Judges the line into a room."""

    def __init__(self) -> None:
        self._quality = LineQuality()
        self._received, self._sent = Count(0, 0), Count(0, 0)
        self._interrupted: set[str] = set()
        self._judged = 0.0

    @property
    def pressure(self) -> float:
        """How hard it is to get anything over the line, from 0 to `HIGHEST`."""
        if self._interrupted:
            return HIGHEST
        return max(self._quality.pressure, self._judged)

    def connection(self, status: object) -> None:
        """Daily says that a connection is interrupted, or is there."""
        if isinstance(status, Mapping) and isinstance(connection := status.get("connection"), str):
            if status.get("event") == "interrupted":
                self._interrupted.add(connection)
            elif status.get("event") == "connected":
                self._interrupted.discard(connection)

    def measured(self, told: object, now_s: float) -> NetworkStats | None:
        """Take what Daily measured; returns it as it is logged, None when nothing is known yet.

        Args:
            told: What `get_network_stats` returns.
            now_s: The time, monotonic.
        """
        stats = _mapping(told)
        self._judged = _THRESHOLDS.get(str(stats.get("threshold")), 0.0)
        latest = _mapping(_mapping(stats.get("stats")).get("latest"))
        received = _part(latest.get("totalRecvPacketLoss"))
        sent = _part(latest.get("totalSendPacketLoss"))
        rtt_ms = _number(latest.get("networkRoundTripTime"))
        self._received = _more(self._received, received)
        self._sent = _more(self._sent, sent)
        self._quality.measured(
            received={0: self._received},
            sent={0: self._sent},
            rtt_s=None if rtt_ms is None else rtt_ms / 1000,
            jitter_s=0.0,
            now_s=now_s,
        )
        known = [loss for loss in (received, sent) if loss is not None]
        available_bps = _number(latest.get("availableOutgoingBitrate"))
        if not known and available_bps is None and rtt_ms is None:
            return None
        return NetworkStats(
            loss=max(known, default=None),
            available_bps=None if available_bps is None else min(available_bps, 1e12),
            rtt_ms=None if rtt_ms is None else min(rtt_ms, 600_000.0),
        )


def _more(count: Count, part: float | None) -> Count:
    if part is None:
        return count
    return Count(count.expected + _OF, count.lost + round(part * _OF))


def _part(value: object) -> float | None:
    number = _number(value)
    return None if number is None else min(number, 1.0)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _mapping(told: object) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}
