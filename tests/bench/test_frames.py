"""Every labelled change is shown in time, and what does not change costs next to nothing."""

import pytest

from bench.clips import CLIPS, Clip
from bench.frames import WITHIN_S, Played, play, report
from bench.unseen_clips import UNSEEN


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_each_change_is_shown_in_time_and_the_target_is_kept(clip: Clip):
    played = play(clip)
    assert played.slowest_s <= WITHIN_S
    assert 0.01 < played.part_of_1_fps <= (clip.target or 1)
    gaps = [b - a for (a, _), (b, _) in zip(played.shown, played.shown[1:], strict=False)]
    assert min(gaps) > 0.74


@pytest.mark.parametrize("clip", UNSEEN, ids=lambda clip: clip.name)
def test_of_what_nothing_was_tuned_on_each_change_is_shown_too(clip: Clip):
    played = play(clip)
    assert played.slowest_s <= WITHIN_S + 0.5
    assert played.part_of_1_fps <= 1


def test_a_change_that_is_never_shown_is_noticed():
    clip = next(clip for clip in CLIPS if clip.name == "slides change")
    shown = play(clip).shown
    assert Played(clip, shown[:-3]).slowest_s > WITHIN_S
    assert "| 8 | 8 | inf s |" in report([Played(clip, shown[:1])], [])
