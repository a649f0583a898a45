import threading

from understudy.spoken import Spoken


def test_what_was_kept_comes_back():
    spoken = Spoken()
    spoken.keep("a", b"12")
    spoken.keep("a", b"345")
    assert spoken.get("a") == b"345"
    assert spoken.get("b") is None


def test_beyond_so_many_bytes_what_was_not_asked_for_the_longest_goes():
    spoken = Spoken(max_bytes=10)
    spoken.keep("a", b"1234")
    spoken.keep("b", b"1234")
    spoken.get("a")
    spoken.keep("c", b"1234")
    assert [spoken.get(key) for key in "abc"] == [b"1234", None, b"1234"]
    spoken.keep("d", b"1" * 11)
    assert [spoken.get(key) for key in "abcd"] == [None] * 4
    spoken.keep("e", b"1234567890")
    assert spoken.get("e") == b"1234567890"


def test_empty_speech_is_bounded_too():
    spoken = Spoken(max_entries=2)
    for key in "abc":
        spoken.keep(key, b"")
    assert [spoken.get(key) for key in "abc"] == [None, b"", b""]


def test_threads_do_not_disturb_each_other():
    spoken = Spoken(max_bytes=100, max_entries=5)
    failed = []

    def use(offset: int) -> None:
        try:
            for number in range(2_000):
                spoken.keep((number + offset) % 11, bytes(number % 30))
                spoken.get(number % 7)
        except KeyError as error:
            failed.append(error)

    threads = [threading.Thread(target=use, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
