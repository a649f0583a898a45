"""Who of several people it is that speaks."""

import numpy as np

from pipeline.rooms.speaking import Speaking, level_dbfs

PIECE_S = 0.02
RNG = np.random.default_rng(3)


def noise(dbfs: float) -> bytes:
    scale = 32768 * 10 ** (dbfs / 20)
    return np.clip(RNG.normal(0, scale, 320), -32768, 32767).astype(np.int16).tobytes()


class Room:
    """People with microphones, and a clock that moves as they are heard."""

    def __init__(self):
        self.speaking = Speaking()
        self.now_s = 1000.0
        self.began_s = self.now_s

    def goes_on(self, seconds: float, **loud: float) -> None:
        for _ in range(round(seconds / PIECE_S)):
            self.now_s += PIECE_S
            for who in ("ana", "ben", "cleo"):
                self.speaking.heard(who, noise(loud.get(who, -75)), PIECE_S, self.now_s)

    def spoke(self, since_s: float | None = None) -> list[tuple[str, float]]:
        since_s = self.began_s if since_s is None else since_s
        return [(s.who, s.seconds) for s in self.speaking.between(since_s, self.now_s)]


def test_the_level_of_sound():
    assert abs(level_dbfs(noise(-30)) + 30) < 1
    assert level_dbfs(bytes(640)) == level_dbfs(b"") == -100


def test_who_is_loud_speaks():
    room = Room()
    room.goes_on(1.0, ben=-25)
    assert room.speaking.current == "ben"
    ((who, seconds),) = room.spoke()
    assert who == "ben" and 0.9 <= seconds <= 1.1


def test_people_are_told_in_the_order_in_which_they_began():
    room = Room()
    room.goes_on(0.5)
    room.goes_on(1.0, cleo=-30)
    room.goes_on(0.5)
    room.goes_on(2.0, ana=-25)
    (first, first_s), (second, second_s) = room.spoke()
    assert (first, second) == ("cleo", "ana")
    assert 0.9 <= first_s <= 1.6 and 1.9 <= second_s <= 2.1


def test_pauses_between_words_belong_to_one_stretch_and_do_not_count():
    room = Room()
    for _ in range(3):
        room.goes_on(0.6, ana=-25)
        room.goes_on(0.7)
    ((who, seconds),) = room.spoke()
    assert who == "ana" and 1.8 <= seconds < 2.7


def test_what_a_microphone_hears_of_the_neighbour_is_not_a_voice_of_its_own():
    room = Room()
    room.goes_on(2.0, ana=-22, ben=-42)
    assert [who for who, _ in room.spoke()] == ["ana"]


def test_two_at_a_time_both_speak():
    room = Room()
    room.goes_on(1.0, ana=-25, ben=-28)
    assert {who for who, _ in room.spoke()} == {"ana", "ben"}


def test_steady_noise_is_taken_for_silence_after_a_while():
    room = Room()
    room.goes_on(20, cleo=-45)
    since_s = room.now_s
    room.goes_on(2.0, cleo=-45, ana=-25)
    assert [who for who, _ in room.spoke(since_s)] == ["ana"]


def test_somebody_else_takes_over_when_they_go_on():
    room = Room()
    room.goes_on(1.0, ana=-25)
    room.goes_on(0.2, ben=-15)
    assert room.speaking.current == "ana", "that was a cough"
    room.goes_on(0.5, ana=-25)
    room.goes_on(1.0, ben=-20)
    assert room.speaking.current == "ben"


def test_after_a_silence_the_next_speaks_at_once():
    room = Room()
    room.goes_on(1.0, ana=-25)
    room.goes_on(1.0)
    room.goes_on(0.1, ben=-25)
    assert room.speaking.current == "ben"


def test_a_cough_is_not_told():
    room = Room()
    room.goes_on(0.02, ben=-35)
    room.goes_on(1.0)
    room.goes_on(1.0, ana=-25)
    since_s = room.now_s - 1.2
    assert [who for who, _ in room.spoke(since_s)] == ["ana"]


def test_only_what_was_said_in_the_span_counts():
    room = Room()
    room.goes_on(3.0, ana=-25)
    since_s = room.now_s
    room.goes_on(2.0)
    room.goes_on(1.0, ben=-25)
    assert [who for who, _ in room.spoke(since_s + 0.5)] == ["ben"]


def test_who_left_does_not_speak_any_more():
    room = Room()
    room.goes_on(1.0, ana=-25)
    room.speaking.left("ana")
    assert room.speaking.current is None
    assert [who for who, _ in room.spoke()] == ["ana"], "what they said was said"
