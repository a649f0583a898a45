"""Who of several people speaks, by how loud each one's microphone is against the others. Pure.

Whether anybody speaks at all is the voice activity detection's to say, of all of them together; here
it is only told whose voice that is. A microphone also hears who sits beside: the louder one counts.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

SPEAKS_DBFS = -48.0
ABOVE_FLOOR_DB = 9.0
"""So loud a voice is at least, and so much louder than what its microphone hears otherwise."""
BESIDE_DB = 15.0
"""So much quieter than the loudest is only what comes over from there."""
FALLS_DB_S = 100.0
RISES_DB_S = 2.0
"""How fast the level falls when a voice ends, and how fast what is taken for silence rises."""
SILENCE_DBFS = -60.0
MERGED_S = 0.8
"""Between words of one stretch there may be so much silence."""
KEPT_S = 120.0
TAKES_OVER_S = 0.3
"""So long somebody else is the loudest before it is they who speak, while somebody speaks."""
SILENT_S = 0.5
"""Who has been silent for so long has ended."""
SHORTEST_S = 0.15
"""Less than this is a cough."""


@dataclass(frozen=True)
class Spoke:
    """How long somebody spoke.

    Parameters:
        who: Their participant id.
        seconds: For how long, all pieces of it together.
    """

    who: str
    seconds: float


@dataclass
class _Level:
    now_dbfs: float = -100.0
    floor_dbfs: float = SILENCE_DBFS


@dataclass
class _Stretch:
    who: str
    start_s: float
    end_s: float
    seconds: float


class Speaking:
    """Follows who speaks.

    Attributes:
        current: Who speaks, or spoke last.
    """

    def __init__(self) -> None:
        self._levels: dict[str, _Level] = {}
        self._stretches: deque[_Stretch] = deque()
        self._challenger: tuple[str, float] | None = None
        self._led_s = float("-inf")
        self.current: str | None = None

    def heard(self, who: str, pcm: bytes, seconds: float, now_s: float) -> None:
        """A piece of somebody's sound came.

        Args:
            who: Whose.
            pcm: 16-bit samples.
            seconds: How long it is.
            now_s: When it ended.
        """
        level = self._levels.setdefault(who, _Level())
        dbfs = level_dbfs(pcm)
        level.now_dbfs = max(dbfs, level.now_dbfs - FALLS_DB_S * seconds)
        level.floor_dbfs = min(dbfs, level.floor_dbfs + RISES_DB_S * seconds)
        level.floor_dbfs = max(level.floor_dbfs, SILENCE_DBFS)
        if not self._is_voice(level):
            return
        self._note(who, seconds, now_s)
        if level.now_dbfs >= max(other.now_dbfs for other in self._levels.values()):
            self._leads(who, now_s)

    def left(self, who: str) -> None:
        """Somebody is not there any more; what they said stays."""
        self._levels.pop(who, None)
        if self.current == who:
            self.current = None

    def between(self, start_s: float, end_s: float) -> list[Spoke]:
        """Who spoke in a span of time, in the order in which they began."""
        seconds: dict[str, float] = {}
        for stretch in self._stretches:
            inside_s = min(stretch.end_s, end_s) - max(stretch.start_s, start_s)
            if inside_s <= 0:
                continue
            share = inside_s / (stretch.end_s - stretch.start_s)
            seconds[stretch.who] = seconds.get(stretch.who, 0.0) + stretch.seconds * share
        return [Spoke(who, s) for who, s in seconds.items() if s >= SHORTEST_S]

    def _is_voice(self, level: _Level) -> bool:
        loudest = max(other.now_dbfs for other in self._levels.values())
        least = max(SPEAKS_DBFS, level.floor_dbfs + ABOVE_FLOOR_DB, loudest - BESIDE_DB)
        return level.now_dbfs > least

    def _note(self, who: str, seconds: float, now_s: float) -> None:
        while self._stretches and now_s - self._stretches[0].end_s > KEPT_S:
            self._stretches.popleft()
        last = next((s for s in reversed(self._stretches) if s.who == who), None)
        if last and now_s - seconds - last.end_s <= MERGED_S:
            last.end_s, last.seconds = now_s, last.seconds + seconds
        else:
            self._stretches.append(_Stretch(who, now_s - seconds, now_s, seconds))

    def _leads(self, who: str, now_s: float) -> None:
        is_silent = self.current is None or now_s - self._led_s > SILENT_S
        if who != self.current and not is_silent:
            if self._challenger is None or self._challenger[0] != who:
                self._challenger = (who, now_s)
            if now_s - self._challenger[1] < TAKES_OVER_S:
                return
        self.current, self._challenger, self._led_s = who, None, now_s


def level_dbfs(pcm: bytes) -> float:
    """How loud sound is, as the mean of its power; -100 for none."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float32)
    if not len(samples):
        return -100.0
    power = float(np.dot(samples, samples)) / len(samples)
    return max(10 * np.log10(power / 32768**2), -100.0) if power else -100.0
