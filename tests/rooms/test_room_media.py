"""What comes from several people, on its way down the pipeline."""

import numpy as np
from PIL import Image
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    UserAudioRawFrame,
    UserImageRawFrame,
    UserImageRequestFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.tests.utils import run_test

from pipeline.frames import DecodedFrame, SpeakersFrame
from pipeline.pictures import Pixels
from pipeline.rooms.people import People
from processors.room_media import RoomMedia

HZ = 16_000
RNG = np.random.default_rng(2)


class Views:
    """Who is looked at; notes what is asked for."""

    pressure = 0.25

    def __init__(self, *shown: tuple[str, str]):
        self._shown = shown
        self.asked: list[tuple[str, str]] = []
        self.came: list[tuple[str, str]] = []

    def is_shown(self, who: str, source: str) -> bool:
        return (who, source) in self._shown

    async def requested(self, who: str, source: str) -> None:
        self.asked.append((who, source))

    async def answered(self, who: str, source: str) -> None:
        self.came.append((who, source))


class Room:
    """A room's processor with a clock that a test moves, and what comes out of it."""

    def __init__(self, *names: str, shown: tuple[tuple[str, str], ...] = ()):
        self.people = People()
        for name in names:
            self.people.joined({"id": name.lower(), "info": {"userName": name}})
        self.views = Views(*shown)
        self.speakers: list[str | None] = []
        self.now_s = 100.0
        self.media = RoomMedia(
            people=self.people,
            views=self.views,
            on_speaker=self._on_speaker,
            clock=lambda: self.now_s,
        )
        self.down: list[Frame] = []
        self.media.push_frame = self._pushed

    async def _on_speaker(self, who: str | None) -> None:
        self.speakers.append(who)

    async def _pushed(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM):
        if direction is FrameDirection.DOWNSTREAM:
            self.down.append(frame)

    async def comes(self, frame: Frame, *, up: bool = False) -> None:
        direction = FrameDirection.UPSTREAM if up else FrameDirection.DOWNSTREAM
        await self.media.process_frame(frame, direction)

    async def sounds(self, seconds: float, **amplitudes: int) -> None:
        """All of these microphones are on for so long, this loud."""
        for _ in range(round(seconds * 50)):
            self.now_s += 0.02
            for who, amplitude in amplitudes.items():
                await self.comes(heard(who, amplitude))

    def of(self, kind: type) -> list:
        return [frame for frame in self.down if isinstance(frame, kind)]


def heard(who: str, amplitude: int) -> UserAudioRawFrame:
    samples = RNG.integers(-amplitude, amplitude + 1, 320).astype(np.int16)
    return UserAudioRawFrame(user_id=who, audio=samples.tobytes(), sample_rate=HZ, num_channels=1)


def seen(who: str, source: str = "camera", **fields) -> UserImageRawFrame:
    image = Image.new("RGB", (64, 48), "teal")
    frame = UserImageRawFrame(
        image=image.tobytes(), size=image.size, format="RGB", user_id=who, **fields
    )
    frame.transport_source = source
    return frame


async def test_the_sound_of_somebody_alone_is_the_very_frame_that_came():
    frames = [heard("ana", 500) for _ in range(5)]
    room = Room("Ana")
    down, _ = await run_test(room_media := _media(room), frames_to_send=frames)
    assert all(a is b for a, b in zip(down, frames, strict=True)), room_media


def _media(room: Room) -> RoomMedia:
    return RoomMedia(people=room.people, views=room.views, on_speaker=room._on_speaker)


async def test_the_sound_of_several_is_one_stream_in_real_time():
    room = Room("Ana", "Ben")
    await room.sounds(4.0, ana=3000, ben=3000)
    samples = sum(frame.num_frames for frame in room.of(InputAudioRawFrame))
    assert 3.9 * HZ <= samples <= 4.0 * HZ


async def test_programs_are_not_heard():
    room = Room("Ana")
    room.people.is_a_bot("helper")
    await room.sounds(0.2, helper=3000)
    assert room.down == []


async def test_it_is_told_who_spoke_for_how_long_in_a_turn():
    room = Room("Ana", "Ben")
    await room.sounds(1.0, ana=3, ben=3)
    await room.comes(VADUserStartedSpeakingFrame(start_secs=0.2), up=True)
    await room.sounds(1.0, ana=3000, ben=3)
    await room.sounds(2.0, ana=3, ben=3000)
    await room.sounds(0.2, ana=3, ben=3)
    await room.comes(VADUserStoppedSpeakingFrame(stop_secs=0.2), up=True)
    (frame,) = room.of(SpeakersFrame)
    (ana, ana_s), (ben, ben_s) = frame.speakers
    assert (ana, ben) == ("Ana", "Ben")
    assert 0.9 <= ana_s <= 1.4 and 1.9 <= ben_s <= 2.4


async def test_the_speaker_is_told_while_somebody_speaks_and_that_nobody_does():
    room = Room("Ana", "Ben")
    await room.sounds(1.0, ana=3000, ben=3)
    assert room.speakers == [], "that may have been anything"
    await room.comes(VADUserStartedSpeakingFrame(start_secs=0.2), up=True)
    await room.sounds(0.5, ana=3000, ben=3)
    await room.sounds(1.0, ana=3, ben=3000)
    await room.comes(VADUserStoppedSpeakingFrame(stop_secs=0.2), up=True)
    await room.sounds(0.7, ana=3, ben=3)
    assert room.speakers == ["ana", "ben"], "that may be a pause"
    await room.sounds(0.2, ana=3, ben=3)
    assert room.speakers == ["ana", "ben", None]


async def test_a_pause_between_words_is_told_to_nobody():
    room = Room("Ana", "Ben")
    for _ in range(2):
        await room.comes(VADUserStartedSpeakingFrame(start_secs=0.2), up=True)
        await room.sounds(0.5, ana=3000, ben=3)
        await room.comes(VADUserStoppedSpeakingFrame(stop_secs=0.2), up=True)
        await room.sounds(0.5, ana=3, ben=3)
    assert room.speakers == ["ana"]


async def test_who_leaves_in_a_pause_speaks_no_more():
    room = Room("Ana", "Ben")
    await room.comes(VADUserStartedSpeakingFrame(start_secs=0.2), up=True)
    await room.sounds(0.5, ana=3000, ben=3)
    await room.comes(VADUserStoppedSpeakingFrame(stop_secs=0.2), up=True)
    room.media.left("ana")
    room.now_s += 2.0
    await room.comes(heard("ben", 3))
    assert room.speakers == ["ana", None]


async def test_somebody_alone_is_in_the_log_by_the_local_voice_detection():
    room = Room("Ana")
    await room.comes(heard("ana", 3000))
    await room.comes(VADUserStartedSpeakingFrame(start_secs=0.2), up=True)
    room.now_s += 2.0
    await room.comes(VADUserStoppedSpeakingFrame(stop_secs=0.5), up=True)
    (frame,) = room.of(SpeakersFrame)
    assert [(name, round(s, 3)) for name, s in frame.speakers] == [("Ana", 1.7)]
    assert room.speakers == []


async def test_a_frame_that_is_shown_goes_on_with_its_owner_and_the_lines_pressure():
    room = Room("Ana", "Ben", shown=(("ben", "camera"),))
    await room.comes(seen("ben"))
    (frame,) = room.of(DecodedFrame)
    assert isinstance(frame.pixels, Pixels)
    assert (frame.pixels.whose, frame.pixels.source) == ("Ben", "camera")
    assert (frame.transport_source, frame.pressure, frame.size) == ("camera", 0.25, (64, 48))
    assert frame.pixels.encode(long_edge_px=640, quality=80).height > 48, "there is a strip above"


async def test_the_owner_of_the_only_camera_is_not_named():
    room = Room("Ana", shown=(("ana", "screenVideo"),))
    await room.comes(seen("ana", "screenVideo"))
    (frame,) = room.of(DecodedFrame)
    assert isinstance(frame.pixels, Pixels)
    assert frame.pixels.whose == ""


async def test_late_frames_of_who_is_not_shown_any_more_go_nowhere():
    room = Room("Ana", "Ben", shown=(("ben", "camera"),))
    await room.comes(seen("ana"))
    await room.comes(seen("ben", "screenVideo"))
    assert room.down == []


async def test_an_asked_for_frame_is_shown_whoever_is_shown():
    room = Room("Ana", "Ben", shown=(("ben", "camera"),))
    request = UserImageRequestFrame(user_id="ana", text="What is this?", append_to_context=True)
    await room.comes(request, up=True)
    assert room.views.asked == [("ana", "camera")]
    await room.comes(seen("ana", request=request, text=request.text, append_to_context=True))
    (frame,) = room.of(DecodedFrame)
    assert frame.request is request
    assert (frame.text, frame.append_to_context, frame.user_id) == ("What is this?", True, "ana")
    assert room.views.came == [("ana", "camera")]


async def test_pictures_that_somebody_sent_are_not_touched():
    room = Room("Ana", "Ben")
    picture = seen("", append_to_context=True)
    await room.comes(picture)
    assert room.down == [picture]
