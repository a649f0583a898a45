"""What became of a session is known for a while, to every server on the folder."""

import os
import time

import pytest

from serving.supervisor.endings import KEPT_S, SENTENCES, Endings, Reason, ending


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason):
    assert ending(reason).reason is reason
    assert SENTENCES[reason][0].isupper() and SENTENCES[reason].endswith(".")


def test_what_one_server_writes_another_reads(tmp_path):
    Endings(tmp_path).write("a", ending(Reason.HUNG))
    assert Endings(tmp_path).read("a") == ending(Reason.HUNG)


def test_of_a_session_that_has_not_ended_nothing_is_known(tmp_path):
    assert Endings(tmp_path).read("a") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"reason": "hung"}', '{"x": 1}', "7"])
def test_half_a_file_is_no_ending(tmp_path, text: str):
    (tmp_path / "a.ended").write_text(text)
    assert Endings(tmp_path).read("a") is None


def test_what_nobody_will_ask_for_is_deleted_and_nothing_else(tmp_path):
    endings = Endings(tmp_path)
    for name in "ab":
        endings.write(name, ending(Reason.FINISHED))
    (tmp_path / "a.start").touch()
    long_ago = time.time() - KEPT_S - 1
    for name in ("a.ended", "a.start"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    endings.forget_old()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.start", "b.ended"]
