"""When sound goes to the model, and in which messages."""

import pytest

from pipeline.gathering import MESSAGE_S, QUIET_AFTER_S, Gathering
from tests.support.sound import tone

RATE_HZ = 16_000
PIECE_S = 0.02
QUIET = bytes(2 * int(RATE_HZ * PIECE_S))
LOUD = tone(PIECE_S, RATE_HZ).tobytes()
TIMES = round(QUIET_AFTER_S / PIECE_S)
"""How often a piece goes out by itself."""


class Microphone:
    """Gives pieces of 20 ms, one after the other, and notes what goes out with each."""

    def __init__(self) -> None:
        self.gathering = Gathering()
        self.number = 0
        self.given = b""
        self.sent = b""

    def give(self, piece: bytes, times: int = 1) -> list[int]:
        """Returns how many pieces' worth went out each time."""
        sizes = []
        for _ in range(times):
            out = self.gathering.add(piece, RATE_HZ, self.number * PIECE_S)
            self.number += 1
            self.given += piece
            self.sent += b"".join(pcm for pcm, _ in out)
            sizes.append(sum(len(pcm) for pcm, _ in out) // len(QUIET))
        return sizes


def test_a_voice_and_the_silence_after_it_go_at_once():
    microphone = Microphone()
    assert microphone.give(LOUD, 5) == [1] * 5
    assert set(microphone.give(QUIET, TIMES - 2)) == {1}


def test_silence_that_goes_on_goes_in_larger_messages():
    microphone = Microphone()
    microphone.give(QUIET, TIMES)
    full = round(MESSAGE_S / PIECE_S)
    assert microphone.give(QUIET, 2 * full) == [*[0] * (full - 1), full] * 2


@pytest.mark.parametrize("held", range(5))
def test_a_voice_waits_for_nothing_and_follows_what_was_before_it(held: int):
    microphone = Microphone()
    microphone.give(QUIET, TIMES)
    microphone.give(QUIET, held)
    assert microphone.give(LOUD) == [held + 1]
    assert microphone.sent == microphone.given


def test_the_loudest_sample_there_is_is_loud():
    microphone = Microphone()
    microphone.give(QUIET, TIMES + 1)
    assert microphone.give(b"\x00\x80" * (len(QUIET) // 2)) == [2]


def test_sound_of_another_rate_is_another_message():
    gathering = Gathering()
    gathering.add(QUIET, RATE_HZ, 0)
    gathering.add(QUIET, RATE_HZ, QUIET_AFTER_S)
    assert gathering.add(QUIET, 8_000, QUIET_AFTER_S) == [(QUIET, RATE_HZ)]
    assert gathering.rest() == [(QUIET, 8_000)]


def test_what_is_held_back_is_given_once():
    gathering = Gathering()
    gathering.add(QUIET, RATE_HZ, 0)
    gathering.add(QUIET, RATE_HZ, QUIET_AFTER_S)
    assert gathering.rest() == [(QUIET, RATE_HZ)]
    assert gathering.rest() == []
    assert gathering.add(b"", RATE_HZ, 2 * QUIET_AFTER_S) == []
