"""What counts as a change of a picture: time and small grey pictures in, a verdict out."""

import numpy as np
import pytest

from pipeline.frame_change import Change, ChangeDetector, Glance, gist_size

LOOK_S = 0.2


class Looks:
    """A detector that looks five times a second, and shows what it is told to."""

    def __init__(self, picture: np.ndarray, source: str = "screenVideo"):
        self.detector = ChangeDetector(source)
        self.now_s = 0.0
        assert self.at(picture) is Change.NEW
        self.detector.was_shown()

    def at(self, picture: np.ndarray) -> Change:
        self.now_s += LOOK_S
        self.glance = self.detector.look(picture.clip(0, 255).astype(np.uint8), now_s=self.now_s)
        return self.glance.change


def grey() -> np.ndarray:
    """A picture with some texture."""
    rows, columns = np.mgrid[0:64, 0:96]
    return 90.0 + (rows * 7 + columns * 3) % 60


def with_patch(level: float, *, at: tuple[int, int] = (20, 30), size: int = 8) -> np.ndarray:
    picture = grey()
    row, column = at
    picture[row : row + size, column : column + size] += level
    return picture


def test_what_stands_still_is_still():
    looks = Looks(grey())
    assert [looks.at(grey()) for _ in range(5)] == [Change.STILL] * 5
    assert not looks.glance.stirs


def test_noise_of_a_sensor_is_no_change():
    noise = np.random.default_rng(3)
    looks = Looks(grey())
    assert {looks.at(grey() + noise.normal(0, 1.5, grey().shape)) for _ in range(100)} == {
        Change.STILL
    }


def test_brightness_that_drifts_is_no_change_but_a_lamp_is():
    looks = Looks(grey())
    assert looks.at(grey() + 8) is Change.STILL
    assert looks.at(grey() + 40) is Change.NEW


@pytest.mark.parametrize("size", [3, 8, 40])
def test_something_new_in_a_quiet_place_is_new_however_small(size):
    looks = Looks(grey())
    assert looks.at(with_patch(40, size=size)) is Change.NEW
    assert looks.glance.stirs


def test_it_is_compared_with_what_was_shown_so_that_slow_changes_add_up():
    looks = Looks(grey())
    verdicts = [looks.at(with_patch(level)) for level in range(1, 20)]
    assert verdicts[0] is Change.STILL and verdicts[-1] is Change.NEW


@pytest.mark.parametrize(
    ("source", "verdict"), [("camera", Change.STILL), ("screenVideo", Change.NEW)]
)
@pytest.mark.parametrize("by", [(0, 1), (1, 0), (-1, -1)])
def test_before_a_camera_what_sways_a_little_has_not_moved(source, verdict, by):
    def head(row: int, column: int) -> np.ndarray:
        picture = np.full((64, 96), 90.0)
        picture[row : row + 30, column : column + 20] = 200
        return picture

    looks = Looks(head(20, 30), source)
    assert looks.at(head(20 + by[0], 30 + by[1])) is verdict
    assert looks.at(head(20, 40)) is Change.NEW


@pytest.mark.parametrize("level", [50, -50])
def test_before_a_camera_too_something_comes_and_goes(level):
    looks = Looks(grey(), "camera")
    assert looks.at(with_patch(level)) is Change.NEW
    looks.detector.was_shown()
    assert looks.at(with_patch(level)) is Change.STILL
    assert looks.at(grey()) is Change.NEW


def blinked(looks: Looks, seconds: float) -> list[Change]:
    """What a blinking cursor is told to be; it is shown whenever it is new."""
    verdicts = []
    for look in range(round(seconds / LOOK_S)):
        verdicts.append(looks.at(with_patch(60 * (look // 3 % 2), size=4)))
        if verdicts[-1] is Change.NEW:
            looks.detector.was_shown()
    return verdicts


def test_what_does_the_same_all_the_time_is_soon_no_news():
    verdicts = blinked(Looks(grey()), 20)
    assert verdicts.count(Change.NEW) <= 4
    assert set(verdicts[-50:]) == {Change.STILL}


def test_something_new_beside_what_moves_all_the_time_is_new():
    looks = Looks(grey())
    blinked(looks, 20)
    assert looks.at(with_patch(20, at=(50, 70))) is Change.NEW


def test_a_place_that_was_busy_and_has_calmed_down_is_quiet_again():
    looks = Looks(grey())
    blinked(looks, 20)
    for _ in range(50):
        looks.at(grey())
    looks.detector.was_shown()
    assert looks.at(with_patch(60, size=4)) is Change.NEW


def test_a_page_that_turns_every_two_seconds_is_new_each_time():
    looks = Looks(grey())
    pages = [grey(), grey().T[:64, :64].repeat(2, axis=1)[:, :96]]
    for turn in range(15):
        assert looks.at(pages[(turn + 1) % 2]) is Change.NEW
        looks.detector.was_shown()
        assert {looks.at(pages[(turn + 1) % 2]) for _ in range(9)} == {Change.STILL}


# --- habits of places on a screen -------------------------------------------------------------------


CLOCK, CURSOR = (52, 80), (4, 4)


class Desk(Looks):
    """A page with a cursor that blinks every 0.6 s and a clock that ticks every second.

    Whatever is new is shown at once.
    """

    def __init__(self, seconds: float = 10, source: str = "screenVideo"):
        super().__init__(self.picture(0.0), source)
        self.began_s = self.now_s
        self.shown = self.goes_on(seconds)

    def picture(self, at_s: float) -> np.ndarray:
        page = grey()
        row, column = CURSOR
        page[row : row + 4, column : column + 2] += 90 * (at_s % 1.2 < 0.6)
        row, column = CLOCK
        # Some digits are much alike.
        page[row : row + 4, column : column + 4] += (20, 40, 44, 90, 60, 16, 80)[
            int(at_s + 0.01) % 7
        ]
        return page

    def goes_on(self, seconds: float, add=lambda page: page) -> list[float]:
        """Shows what is new; returns how long each had to wait, from now."""
        begin_s, new = self.now_s, []
        for _ in range(round(seconds / LOOK_S)):
            at_s = self.now_s + LOOK_S - getattr(self, "began_s", self.now_s)
            if self.at(add(self.picture(at_s))) is Change.NEW:
                new.append(round(self.now_s - begin_s, 1))
                self.detector.was_shown()
        return new


def written(page: np.ndarray, *, at: tuple[int, int]) -> np.ndarray:
    row, column = at
    page[row : row + 3, column : column + 2] += 70
    return page


def test_a_clock_and_a_cursor_are_soon_no_news_and_cost_nothing_any_more():
    desk = Desk()
    assert all(at_s <= 3 for at_s in desk.shown) and len(desk.shown) <= 4
    assert desk.goes_on(50) == []
    assert desk.glance == Glance(Change.STILL, stirs=False)


def test_before_a_camera_places_have_no_habits():
    desk = Desk(30, source="camera")
    assert desk.glance.change is not Change.STILL or len(desk.shown) > 4


@pytest.mark.parametrize("waits_s", [0.0, 0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("at", [(28, 48), (4, 9)])
def test_beside_them_something_new_is_seen_at_once(at, waits_s):
    desk = Desk()
    desk.goes_on(waits_s)
    assert desk.goes_on(2, lambda page: written(page, at=at)) == [LOOK_S]


@pytest.mark.parametrize("waits_s", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
def test_a_letter_typed_at_the_cursor_is_seen_within_a_second(waits_s):
    desk = Desk()
    desk.goes_on(waits_s)
    seen = desk.goes_on(3, lambda page: written(page, at=(4, 1)))
    assert seen and seen[0] <= 1.0


def test_a_clock_that_stops_is_shown_as_it_stopped():
    desk = Desk()
    row, column = CLOCK

    def stopped(page):
        page[row : row + 4, column : column + 4] = grey()[row : row + 4, column : column + 4] + 110
        return page

    assert desk.goes_on(5, stopped)[:1] != []
    assert desk.goes_on(20, stopped) == []


def test_a_page_that_is_turned_back_at_once_is_shown_when_it_stands():
    looks = Looks(grey())
    looks.at(with_patch(60, at=(16, 24)))
    looks.detector.was_shown()
    verdicts = [looks.at(grey()) for _ in range(12)]
    assert verdicts[0] is not Change.NEW, "it may go on to and fro"
    assert verdicts.index(Change.NEW) * LOOK_S <= 1.6


def test_where_much_of_the_picture_blinks_it_is_no_habit():
    looks = Looks(grey())
    for look in range(60):
        looks.at(with_patch(60 * (look // 3 % 2), size=40))
    assert looks.glance.change is not Change.STILL


def test_most_of_the_picture_moving_is_large():
    pan = np.random.default_rng(5).uniform(0, 255, (64, 400)).repeat(3, axis=1)
    looks = Looks(pan[:, :96])
    verdicts = []
    for step in range(60):
        verdicts.append(looks.at(pan[:, step * 5 : step * 5 + 96]))
        if verdicts[-1] is Change.NEW:
            looks.detector.was_shown()
    assert set(verdicts[-30:]) == {Change.LARGE}


def test_another_size_is_a_new_picture():
    looks = Looks(grey())
    assert looks.at(grey()[:32]) is Change.NEW


@pytest.mark.parametrize(
    ("size", "source", "small"),
    [
        ((640, 480), "camera", (160, 120)),
        ((1920, 1080), "screenVideo", (384, 216)),
        ((1080, 1920), "camera", (88, 160)),
        ((3, 4000), "camera", (8, 160)),
    ],
)
def test_the_small_picture_is_made_of_whole_tiles(size, source, small):
    assert gist_size(*size, source=source) == small
