"""Which frame is shown when: time, frames and what happens go in, frames come out."""

import random

import pytest
from pydantic import ValidationError

from pipeline.frame_change import Change, Glance
from pipeline.frame_schedule import FrameSchedule, Reason
from pipeline.video_limits import SourceLimits, VideoLimits

LOOK_S = 0.2
STILL, SMALL, LARGE, NEW = (Glance(change, stirs=change > 0) for change in Change)


class Show:
    """A schedule with a clock, and what it has shown: when, which frame and why."""

    def __init__(self, **limits):
        self.schedule: FrameSchedule[str] = FrameSchedule(VideoLimits(**limits))
        self.now_s = 100.0
        self.shown: list[tuple[float, str, Reason]] = []

    def until(self, s: float) -> None:
        """Call `due` whenever the schedule asks for it."""
        while (due_s := self.schedule.next_due_s(self.now_s)) is not None and due_s <= s:
            self.now_s = max(due_s, self.now_s)
            self.take()
        self.now_s = s

    def take(self) -> None:
        for shown in self.schedule.due(self.now_s):
            self.shown.append((round(self.now_s - 100, 2), shown.frame, shown.reason))

    def offer(self, frame: str, glance: Glance = NEW, source: str = "camera") -> None:
        self.schedule.offer(source, frame, glance, now_s=self.now_s)
        self.take()

    def run(self, seconds: float, glance: Glance, source: str = "camera") -> int:
        """How many frames are shown of a source that gives five a second."""
        before, end_s = len(self.shown), self.now_s + seconds
        while self.now_s < end_s - LOOK_S / 2:
            self.until(self.now_s + LOOK_S)
            self.offer(f"{self.now_s - 100:.1f}", glance, source)
        return len(self.shown) - before

    def reasons(self) -> list[Reason]:
        return [reason for _, _, reason in self.shown]


def test_the_first_frame_is_shown_at_once():
    show = Show()
    show.offer("a", STILL)
    assert show.shown == [(0.0, "a", Reason.FIRST)]


def test_something_new_is_shown_at_once_but_not_within_a_second_and_the_latest_wins():
    show = Show()
    show.offer("a")
    for at_s, frame in ((0.2, "b"), (0.4, "c"), (0.9, "d")):
        show.until(100 + at_s)
        show.offer(frame)
    show.until(103)
    show.offer("e")
    assert show.shown == [
        (0.0, "a", Reason.FIRST),
        (1.0, "d", Reason.NEW),
        (3.0, "e", Reason.NEW),
    ]


def test_what_is_new_stays_new_until_it_is_shown_also_when_it_goes_on_moving():
    show = Show()
    show.offer("a")
    show.offer("b", NEW)
    show.offer("c", SMALL)
    show.until(110)
    assert show.shown[1:] == [(1.0, "c", Reason.NEW)]


def test_what_came_and_went_again_is_not_shown():
    show = Show()
    show.offer("a")
    show.offer("b", NEW)
    show.offer("c", STILL)
    show.until(110)
    assert len(show.shown) == 1


def test_a_picture_that_does_not_change_is_shown_again_after_a_while():
    show = Show(camera=SourceLimits(at_least_every_s=15))
    assert show.run(60, STILL) == 4
    assert show.reasons() == [Reason.FIRST] + [Reason.UNCHANGED] * 3


def test_but_not_when_no_frames_come_any_more():
    show = Show()
    show.offer("a")
    show.until(100.2)
    show.offer("b", STILL)
    show.until(200)
    assert len(show.shown) == 1


@pytest.mark.parametrize(
    ("glance", "is_speaking", "per_minute"),
    [(SMALL, False, 6), (SMALL, True, 15), (LARGE, False, 15), (LARGE, True, 60), (NEW, False, 60)],
)
def test_how_much_is_shown_depends_on_what_changes_and_who_speaks(glance, is_speaking, per_minute):
    show = Show()
    if is_speaking:
        show.schedule.user_started()
    show.run(60, STILL)
    assert show.run(120, glance) == pytest.approx(2 * per_minute, abs=2)


def test_who_has_just_spoken_or_typed_counts_as_speaking():
    show = Show(just_spoken_s=30)
    show.run(10, SMALL)
    show.schedule.user_started()
    show.schedule.user_stopped(show.now_s)
    assert show.run(30, SMALL) == pytest.approx(8, abs=1)
    assert show.run(30, SMALL) == pytest.approx(3, abs=1)
    show.schedule.user_typed(show.now_s)
    assert show.run(30, SMALL) == pytest.approx(8, abs=1)


def test_when_the_user_begins_to_speak_what_has_moved_is_shown_at_once():
    show = Show()
    show.offer("a")
    show.run(5, SMALL)
    assert len(show.shown) == 1
    show.schedule.user_started()
    show.take()
    assert len(show.shown) == 2


def test_what_has_moved_and_then_stands_is_shown_as_it_ended_up():
    show = Show()
    show.offer("a")
    show.run(1.4, SMALL)
    show.run(1.4, Glance(Change.SMALL, stirs=False))
    show.run(3, STILL)
    assert [at_s for at_s, _, _ in show.shown] == [0.0, pytest.approx(2.7, abs=0.01)]


@pytest.mark.parametrize("source", ["camera", None])
def test_who_asks_is_shown_the_next_frame_changed_or_not(source):
    show = Show()
    show.offer("a")
    show.run(5, STILL)
    show.schedule.look(source)
    assert show.run(5, STILL) == 1
    assert show.reasons()[-1] is Reason.ASKED


def test_who_asks_often_is_shown_no_more_than_a_frame_a_second():
    show = Show()
    for _ in range(100):
        show.schedule.look("camera")
        show.run(0.2, STILL)
    assert len(show.shown) == pytest.approx(20, abs=1)


def test_each_source_has_rates_of_its_own():
    show = Show(screen={"max_fps": 0.5})
    for _ in range(60):
        show.run(0.2, NEW)
        show.offer("screen", NEW, "screenVideo")
    frames = [frame for _, frame, _ in show.shown]
    assert frames.count("screen") == pytest.approx(6, abs=1)
    assert len(frames) - frames.count("screen") == pytest.approx(12, abs=1)


@pytest.mark.parametrize("source_fps", [1, 1.3, 2, 5, 15, 30])
@pytest.mark.parametrize("rate_fps", [0.2, 1.0])
def test_the_rate_holds_whatever_the_rhythm_of_the_source(source_fps, rate_fps):
    """Pipecat's two owners of the rate give 0.61 to 0.98 of it."""
    jitter = random.Random(7)
    rates = {name: rate_fps for name in ("max_fps", "speaking_fps", "silent_fps")}
    show = Show(camera=SourceLimits(**rates))
    for at_s in sorted(
        max(0.0, n / source_fps + jitter.uniform(-0.05, 0.05)) for n in range(int(300 * source_fps))
    ):
        show.until(100 + at_s)
        show.offer("frame")
    per_second = (len(show.shown) - 1) / (show.shown[-1][0] - show.shown[0][0])
    assert 0.97 * rate_fps <= per_second <= 1.01 * rate_fps


def test_other_limits_hold_at_once_for_what_waits_too():
    show = Show(camera=SourceLimits(at_least_every_s=20))
    show.run(10, STILL)
    assert len(show.shown) == 1
    show.schedule.limit(VideoLimits(camera=SourceLimits(at_least_every_s=5)))
    show.take()
    assert len(show.shown) == 2
    assert show.run(10, STILL) == 2


def test_a_source_that_paused_does_not_catch_up():
    show = Show()
    for at_s, frame in ((0, "a"), (50, "b"), (50.1, "c")):
        show.until(100 + at_s)
        show.offer(frame)
    show.until(200)
    assert [at_s for at_s, _, _ in show.shown] == [0.0, 50.0, 51.0]


# --- a slow link ----------------------------------------------------------------------------------


def test_the_harder_it_is_to_get_out_the_fewer_and_then_the_smaller_frames():
    given = []
    for pressure in (0.0, 0.3, 0.6, 0.9):
        show = Show()
        show.schedule.pressure = pressure
        show.offer("a")
        show.until(104)
        show.schedule.offer("camera", "b", NEW, now_s=show.now_s)
        (shown,) = show.schedule.due(show.now_s)
        given.append((show.run(60, NEW), shown.ease.edge, shown.ease.quality))
    assert given == [
        (pytest.approx(60, abs=1), 1.0, 1.0),
        (pytest.approx(30, abs=1), 1.0, 1.0),
        (pytest.approx(30, abs=1), 0.75, 0.85),
        (pytest.approx(15, abs=1), 0.5, 0.7),
    ]


def test_while_nothing_goes_out_the_latest_frame_waits():
    show = Show()
    show.offer("a")
    show.schedule.pressure = 1.0
    assert show.run(10, NEW) == 0
    assert show.schedule.next_due_s(show.now_s) is None
    show.schedule.pressure = 0.0
    show.take()
    assert show.shown[1:] == [(10.0, "10.0", Reason.NEW)]


def test_what_is_left_out_is_counted_with_the_reason():
    show = Show()
    show.run(10, STILL)
    show.run(2, NEW)
    show.schedule.pressure = 0.9
    show.run(4, NEW)
    counts = show.schedule.take_counts("camera")
    assert counts.shown == {"first": 1, "new": len(show.shown) - 1}
    assert counts.left_out["unchanged"] == pytest.approx(49, abs=1)
    assert counts.left_out["later"] > 5 and counts.left_out["slow_link"] > 5
    offered = 16 / LOOK_S
    assert counts.shown.total() + counts.left_out.total() == pytest.approx(offered, abs=1)
    assert not show.schedule.take_counts("camera")


# --- the limits -----------------------------------------------------------------------------------


def test_a_screen_is_large_enough_to_read():
    limits = VideoLimits.model_validate({"screen": {"max_fps": 0.5}})
    assert limits.of("screenVideo").long_edge_px == 1536
    assert limits.of("camera").long_edge_px == limits.of("other").long_edge_px == 768


@pytest.mark.parametrize(
    "camera",
    [{"max_fps": 2}, {"silent_fps": 0}, {"silent_fps": 0.5}, {"max_fps": 0.2}, {"fps": 1}],
)
def test_limits_that_make_no_sense_are_refused(camera):
    with pytest.raises(ValidationError):
        VideoLimits.model_validate({"camera": camera})
