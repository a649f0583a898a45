"""What counts as a change of a picture: time and small grey pictures in, a verdict out."""

import numpy as np
import pytest

from pipeline.frame_change import Change, ChangeDetector, gist_size

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
    assert set(verdicts[-50:]) == {Change.STILL, Change.SMALL}


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
