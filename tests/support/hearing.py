"""When announcements were heard."""

import numpy as np

from pipeline.announcements import Announcement, in_language
from pipeline.local_voice import speech
from tests.support.conversation import OUT_HZ, Talk


def heard(conversation: Talk, announcement: Announcement) -> tuple[float, float]:
    """When the beginning and the end of an announcement were heard; that each was, once."""
    pieces = [samples for _, samples in conversation.transport.heard]
    all_of_it = np.concatenate(pieces).tobytes()
    sound = np.frombuffer(speech(in_language(announcement, "en-US"), rate_hz=OUT_HZ), np.int16)
    third = sound.size // 3
    times = []
    for part in (sound[:third], sound[-third:]):
        mark = _loudest(part)
        assert all_of_it.count(mark) == 1, "once"
        ends = np.cumsum([piece.nbytes for piece in pieces])
        index = int(np.searchsorted(ends, all_of_it.index(mark), "right"))
        times.append(conversation.transport.heard[index][0])
    return times[0], times[1]


def _loudest(sound: np.ndarray) -> bytes:
    """The loudest 30 ms."""
    size = round(0.03 * OUT_HZ)
    level = np.convolve(np.abs(sound.astype(np.int64)), np.ones(size, np.int64), "valid")
    first = int(level.argmax())
    return sound[first : first + size].tobytes()
