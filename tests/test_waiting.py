import pytest

from pipeline.waiting import JOINED_S, Audio, Lost, Waiting

RATE_HZ = 16_000


def audio(seconds: float, value: int = 1) -> Audio:
    return Audio(bytes([value, 0]) * round(seconds * RATE_HZ), RATE_HZ)


def drain(waiting: Waiting) -> list:
    out = []
    while waiting:
        first = waiting.first()
        assert waiting.take() is first
        out.append(first)
    return out


def test_what_waits_goes_out_in_order_and_once():
    waiting = Waiting[str]()
    pieces = [audio(0.4, 1), "typed", audio(0.4, 2), "shown", "result"]
    for piece in pieces:
        waiting.add(piece)
    assert drain(waiting) == pieces
    assert waiting.first() is None and not waiting


def test_it_tells_how_much_sound_waits():
    waiting = Waiting[str]()
    for piece in [audio(0.4), "typed", audio(0.2)]:
        waiting.add(piece)
    assert waiting.audio_s == pytest.approx(0.6)


def test_what_could_not_be_sent_is_first_again():
    waiting = Waiting[str]()
    waiting.add("typed")
    entry = waiting.take()
    waiting.add("more")
    waiting.put_first([entry])
    assert drain(waiting) == ["typed", "more"]


def test_audio_is_joined_into_fewer_messages_without_losing_a_sample():
    waiting = Waiting[str]()
    for number in range(100):
        waiting.add(audio(0.02, number % 100))
    out = drain(waiting)
    assert len(out) == round(2.0 / JOINED_S)
    assert b"".join(a.pcm for a in out) == b"".join(audio(0.02, n % 100).pcm for n in range(100))


def test_audio_of_another_rate_is_not_joined():
    waiting = Waiting[str]()
    waiting.add(audio(0.02))
    waiting.add(Audio(bytes(320), 8_000))
    assert [a.rate_hz for a in drain(waiting)] == [16_000, 8_000]


def test_the_oldest_audio_gives_way_and_is_counted():
    waiting = Waiting[str](max_audio_s=2.0)
    waiting.add("typed first")
    for number in range(6):
        waiting.add(audio(0.5, number))
    out = drain(waiting)
    assert out[0] == "typed first", "only audio gives way to audio"
    assert [a.pcm[0] for a in out[1:]] == [2, 3, 4, 5]
    lost = waiting.take_lost()
    assert (lost.audio_s, lost.items) == (pytest.approx(1.0), 0)
    assert not waiting.take_lost(), "it is told once"


def test_the_oldest_item_gives_way_and_is_counted():
    waiting = Waiting[str](max_items=2)
    waiting.add(audio(0.5))
    for item in "abc":
        waiting.add(item)
    assert drain(waiting) == [audio(0.5), "b", "c"]
    assert waiting.take_lost() == Lost(audio_s=0.0, items=1)


def test_what_is_put_first_gives_way_to_nothing():
    waiting = Waiting[str](max_audio_s=2.0)
    question = [audio(0.5, number) for number in range(10)]
    waiting.put_first(question)
    waiting.add(audio(0.5, 99))
    assert drain(waiting) == [*question, audio(0.5, 99)]
    assert not waiting.take_lost()


def test_what_was_lost_elsewhere_is_told_too():
    waiting = Waiting[str]()
    assert not waiting.has_lost
    waiting.gave_up(3.0)
    assert waiting.has_lost
    assert waiting.take_lost() == Lost(audio_s=3.0)


def test_what_is_put_first_keeps_its_order():
    waiting = Waiting[str]()
    waiting.add("c")
    waiting.put_first(["a", "b"])
    assert drain(waiting) == ["a", "b", "c"]
