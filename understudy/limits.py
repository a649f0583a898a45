"""How long a connection and a session may last. Pure.

All figures are the real service's seconds, divided by the clock's scale: at a scale of 600 the ten
minutes of a connection pass in one second. What a client is told in goAway stays the real figure.
"""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import ProtocolError, invalid, refused
from understudy.profiles import Profile

GO_AWAY_S = 540.0
"""Recorded: goAway comes at 9:00 ..."""
LEAD_S = 50.4
"""... and the connection ends 50.4 s later, with 1008."""
TIME_LEFT = "50s"
"""What goAway says, as recorded."""
AUDIO_SESSION_S = 900.0
"""Vendor documentation: a session without contextWindowCompression, over all its connections."""
VIDEO_SESSION_S = 120.0
"""The same with video."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """The client is to be told that the connection will end."""

    time_left: str = TIME_LEFT


class Lifetime:
    """The end of one connection, known in advance.

    Args:
        profile: Whose limits count.
        started_s: When the connection was set up.
        age_s: How long the session had lasted on earlier connections.
        compresses: Whether contextWindowCompression lifts the session's limit.
        saw_video: Whether the session has had video before.
        scale: How many times faster than real the limits pass.

    Raises:
        ProtocolError: 1007; the session has used up its time (reported: such a resumption is
            refused with these words).
    """

    def __init__(
        self,
        profile: Profile,
        *,
        started_s: float,
        age_s: float,
        compresses: bool,
        saw_video: bool,
        scale: float,
    ) -> None:
        self._scale = scale
        self._session_began_s = started_s - age_s
        self._compresses = compresses
        self._go_away_s: float | None = started_s + GO_AWAY_S / scale
        self._end_s = started_s + (GO_AWAY_S + LEAD_S) / scale
        self._ending = refused("The operation was aborted.")
        if compresses and profile.compressed_connection_s is not None:
            self._go_away_s = None
            self._end_s = started_s + profile.compressed_connection_s / scale
            self._ending = ProtocolError(1011, "Deadline expired before operation could complete.")
        if not compresses:
            limit_s = VIDEO_SESSION_S if saw_video else AUDIO_SESSION_S
            if age_s >= limit_s / scale:
                raise invalid()
            self._end_by(self._session_began_s + limit_s / scale)

    @property
    def next_due_s(self) -> float:
        """When `check` has something to do."""
        return self._end_s if self._go_away_s is None else min(self._go_away_s, self._end_s)

    def see_video(self, now_s: float) -> None:
        """Takes note of video, which shortens a session; the client is still told in time."""
        if not self._compresses:
            limit_s = self._session_began_s + VIDEO_SESSION_S / self._scale
            self._end_by(max(limit_s, now_s + LEAD_S / self._scale))

    def check(self, now_s: float) -> GoAway | None:
        """Returns what is due.

        Raises:
            ProtocolError: 1008 or 1011; the time is over.
        """
        if now_s >= self._end_s:
            raise self._ending
        if self._go_away_s is not None and now_s >= self._go_away_s:
            self._go_away_s = None
            return GoAway()
        return None

    def _end_by(self, end_s: float) -> None:
        self._end_s = min(self._end_s, end_s)
        if self._go_away_s is not None:
            self._go_away_s = min(self._go_away_s, self._end_s - LEAD_S / self._scale)
