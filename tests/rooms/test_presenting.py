"""Whose camera and screen the model sees."""

from pipeline.rooms.presenting import CHANGE_S, SPOKEN_S, Presenting, Shown


class Room:
    """People with cameras, and a clock."""

    def __init__(self, *cameras: str):
        self.presenting = Presenting()
        self.now_s = 100.0
        for who in cameras:
            self.sends(who, camera=True)

    def sends(self, who: str, *, camera: bool = False, screen: bool = False) -> None:
        self.presenting.sends(who, camera=camera, screen=screen, now_s=self.now_s)

    def after(self, seconds: float) -> Shown:
        self.now_s += seconds
        return self.presenting.choose(self.now_s)

    def speaks(self, who: str) -> None:
        self.presenting.speaks(who, self.now_s)


def test_nobody_is_nobody():
    assert Room().after(0) == Shown()
    assert Shown().tracks == set()


def test_somebody_alone_is_taken_as_they_are_whatever_is_switched_on():
    room = Room()
    room.sends("ana")
    assert room.after(0) == Shown("ana", "ana")
    assert room.after(0).tracks == {("ana", "camera"), ("ana", "screenVideo")}


def test_of_several_one_camera_is_taken():
    assert Room("ana", "ben", "cleo").after(0).tracks == {("ana", "camera")}


def test_nothing_is_taken_of_several_who_send_nothing():
    room = Room()
    room.sends("ana")
    room.sends("ben")
    assert room.after(0).tracks == set()


def test_the_camera_of_who_speaks_is_taken():
    room = Room("ana", "ben")
    room.after(CHANGE_S)
    room.speaks("ben")
    assert room.after(0.1).camera == "ana", "it may have been a cough"
    assert room.after(CHANGE_S).camera == "ben"


def test_a_camera_is_shown_for_a_while_before_another_is():
    room = Room("ana", "ben", "cleo")
    room.after(0)
    cameras = []
    for number in range(40):
        room.speaks(("ana", "ben", "cleo")[number % 3])
        cameras.append(room.after(SPOKEN_S + 0.1).camera)
    changes = sum(1 for a, b in zip(cameras, cameras[1:], strict=False) if a != b)
    assert 1 <= changes <= 40 * (SPOKEN_S + 0.1) / CHANGE_S + 1


def test_who_speaks_without_a_camera_changes_nothing():
    room = Room("ana")
    room.sends("ben")
    room.after(0)
    room.speaks("ben")
    assert room.after(10).camera == "ana"


def test_a_camera_that_is_switched_off_gives_way_at_once():
    room = Room("ana", "ben")
    room.after(0)
    room.sends("ana", camera=False)
    assert room.after(0).camera == "ben"


def test_the_screen_that_was_shared_last_is_taken_until_it_is_not_shared():
    room = Room("ana", "ben")
    room.sends("ana", screen=True)
    assert room.after(1).screen == "ana"
    room.sends("ben", screen=True)
    assert room.after(1).screen == "ben"
    room.sends("ana", screen=True)
    assert room.after(1).screen == "ben", "it was shared before already"
    room.sends("ben", screen=False)
    assert room.after(1).screen == "ana"


def test_who_shares_a_screen_is_seen_when_nobody_has_spoken():
    room = Room()
    room.sends("ana", camera=True)
    room.sends("ben", camera=True, screen=True)
    assert room.after(0) == Shown("ben", "ben")


def test_who_leaves_is_not_seen_and_who_stays_is():
    room = Room("ana", "ben", "cleo")
    room.speaks("ben")
    assert room.after(10).camera == "ben"
    room.presenting.left("ben")
    assert room.after(0).camera == "ana"
    room.presenting.left("ana")
    assert room.after(0) == Shown("cleo", "cleo")
