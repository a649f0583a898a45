"""What comes from several people becomes what comes from one: one sound, one camera, one screen."""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

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

from pipeline.frames import DecodedFrame, SpeakersFrame
from pipeline.pictures import Pixels
from pipeline.rooms.mixing import Mixer
from pipeline.rooms.people import People
from pipeline.rooms.speaking import MERGED_S, Speaking
from processors.frame_rate_limiter import is_still
from processors.passing import PassingProcessor


class Views(Protocol):
    """Who is looked at."""

    def is_shown(self, who: str, source: str) -> bool:
        """Whether the model sees this one."""
        ...

    async def requested(self, who: str, source: str) -> None:
        """A frame of this one is asked for, shown or not."""
        ...

    async def answered(self, who: str, source: str) -> None:
        """That frame has come."""
        ...

    @property
    def pressure(self) -> float:
        """How hard it is to get anything over the room's line, from 0 to 1."""
        ...


class RoomMedia(PassingProcessor):
    """Mixes what people say, lets one camera and one screen through, and says whose they are.

    Its place is right behind the transport's input. Somebody alone is heard as they come: their sound
    is not touched.

    Args:
        people: Who is here; the sound of who is not a person is not heard.
        views: Who is looked at.
        on_speaker: Told the participant id of who speaks, when that changes; None when nobody does.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        *,
        people: People,
        views: Views,
        on_speaker: Callable[[str | None], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self._people = people
        self._views = views
        self._on_speaker = on_speaker
        self._clock = clock
        self._mixer = Mixer()
        self._speaking = Speaking()
        self._began_s: float | None = None
        self._fell_silent_s = float("-inf")
        self._told: str | None = None
        self._last_heard: str | None = None

    def left(self, who: str) -> None:
        """Somebody is not here any more."""
        self._speaking.left(who)

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Take sound and video, and note when somebody speaks; pass everything else on."""
        await super().process_frame(frame, direction)
        match frame:
            case UserAudioRawFrame():
                return await self._hear(frame)
            case UserImageRawFrame() if not is_still(frame) and frame.user_id:
                return await self._see(frame)
            case UserImageRequestFrame() if direction is FrameDirection.UPSTREAM:
                await self._views.requested(frame.user_id, frame.video_source or "camera")
            case VADUserStartedSpeakingFrame() if direction is FrameDirection.UPSTREAM:
                self._began_s = self._clock() - frame.start_secs
            case VADUserStoppedSpeakingFrame() if direction is FrameDirection.UPSTREAM:
                await self._fell_silent(frame.stop_secs)
        await self.push_frame(frame, direction)

    async def _hear(self, frame: UserAudioRawFrame):
        who, now_s = frame.user_id, self._clock()
        if self._people.is_program(who):
            return
        self._last_heard = who
        pcm = self._mixer.add(who, frame.audio, now_s)
        if self._mixer.is_mixing:
            seconds = len(frame.audio) / 2 / frame.sample_rate
            self._speaking.heard(who, frame.audio, seconds, now_s)
        if self._mixer.is_mixing or self._told:
            await self._tell_speaker(now_s)
        if pcm is frame.audio:
            await self.push_frame(frame)
        elif pcm:
            await self.push_frame(InputAudioRawFrame(pcm, frame.sample_rate, 1))

    async def _tell_speaker(self, now_s: float):
        # A pause between two words is not an end.
        is_pause = self._mixer.is_mixing and now_s - self._fell_silent_s < MERGED_S
        who = self._speaking.current if self._began_s is not None or is_pause else None
        if who != self._told:
            self._told = who
            await self._on_speaker(who)

    async def _fell_silent(self, silent_s: float):
        began_s, self._began_s = self._began_s, None
        now_s = self._clock()
        if began_s is None:
            return
        self._fell_silent_s = now_s
        if self._mixer.is_mixing:
            spoke = self._speaking.between(began_s, now_s)
            names = [(self._people.name_of(s.who), s.seconds) for s in spoke]
        else:
            names = [(self._people.name_of(self._last_heard or ""), now_s - silent_s - began_s)]
        if speakers := [(name, seconds) for name, seconds in names if name]:
            await self.push_frame(SpeakersFrame(speakers=speakers))
        await self._tell_speaker(now_s)

    async def _see(self, frame: UserImageRawFrame):
        source = frame.transport_source or "camera"
        if frame.request:
            await self._views.answered(frame.user_id, source)
        elif not self._views.is_shown(frame.user_id, source):
            return
        whose = self._people.name_of(frame.user_id) if self._people.are_several else ""
        seen = DecodedFrame(
            image=b"",
            size=frame.size,
            format=frame.format,
            user_id=frame.user_id,
            text=frame.text,
            append_to_context=frame.append_to_context,
            request=frame.request,
            pixels=Pixels(
                data=frame.image,
                size=frame.size,
                mode=frame.format or "RGB",
                source=source,
                whose=whose,
            ),
            pressure=self._views.pressure,
        )
        seen.transport_source = source
        await self.push_frame(seen)
