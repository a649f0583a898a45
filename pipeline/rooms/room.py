"""A Daily room as a session sees it: who comes and goes, whose camera is taken, what is written.

What decides is in the pure classes beside this; here Daily is listened to, and told.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from loguru import logger
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.transports.base_transport import BaseTransport

from pipeline.network_stats import NetworkStats
from pipeline.rooms import messages
from pipeline.rooms.line import RoomsLine
from pipeline.rooms.messages import Chat, Rtvi
from pipeline.rooms.people import People, Person, roll_call
from pipeline.rooms.picture_pieces import PicturePieces, PieceError, refusal
from pipeline.rooms.presenting import CAMERA, SCREEN, Presenting, Shown
from pipeline.transports import VIDEO_IN_FPS
from processors.room_media import RoomMedia

LOOK_S = 0.5
"""How often it is decided anew whose camera is taken, while nothing has changed."""
MEASURE_S = 2.0
"""How often Daily measures its line."""
_NOT_SENT = ("off", "blocked")
_ENDS_BOT = "disconnect-bot"


class Room:
    """One room, from the first who comes to the last who goes.

    Args:
        transport: Pipecat's `DailyTransport`.
        grace_s: For how long nobody is here before the session ends.
        name: Of the session, for the log.
        title: Of who answers, for the chat.
        clock: Seconds, monotonic.

    Attributes:
        media: The processor for what comes in; its place is right behind the transport's input.
        grace_s: As given.
    """

    def __init__(
        self,
        *,
        transport: BaseTransport,
        grace_s: float,
        name: str,
        title: str,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._transport: Any = transport
        self._name = name
        self._title = title
        self._clock = clock
        self._people = People()
        self._presenting = Presenting()
        self._pieces = PicturePieces()
        self._line = RoomsLine()
        self._shown = Shown()
        self._captured: set[tuple[str, str]] = set()
        self._asked: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        self._context: LLMContext | None = None
        self._roll: Any = None
        self._called: list[Person] = []
        self._has_page = False
        self._was_peopled = False
        self.grace_s = grace_s
        self.media = RoomMedia(
            people=self._people, views=self, on_speaker=self._speaks, clock=clock
        )

    def serve(
        self,
        *,
        tell: Callable[[dict[str, Any]], Awaitable[None]],
        welcome: Callable[[], Awaitable[None]],
        line_is: Callable[[NetworkStats], None],
        emptied: Callable[[], Awaitable[None]],
    ) -> None:
        """Begin to listen to Daily, for a session.

        Args:
            tell: Called with what all pages are to be told, as RTVI server message.
            welcome: Called when a page has come after the first, and knows nothing of the session.
            line_is: Called with how the line is.
            emptied: Called when it turns out that nobody who is here is a person.
        """
        self._tell, self._welcome = tell, welcome
        self._line_is, self._emptied = line_is, emptied
        room, transport = self, self._transport
        self._push_message = transport.input().push_app_message
        # Pipecat 1.14.0 takes every message for one of a page, and fails on one that is no object.
        transport.input().push_app_message = self._message

        @transport.event_handler("on_participant_updated")
        async def on_participant_updated(transport: Any, participant: Any):
            room._updated(participant)

        @transport.event_handler("on_network_connection_status_updated")
        async def on_network_connection_status_updated(transport: Any, status: Any):
            room._line.connection(status)

    # --- who is here ------------------------------------------------------------------------------

    def joined(self, participant: Any) -> bool:
        """Somebody came; returns whether it is a person."""
        person = self._people.joined(participant)
        if person is None:
            return False
        self._was_peopled = True
        logger.info(f"Session {self._name}: {len(self._people.here)} in the room")
        self._updated(participant)
        return True

    def left(self, participant: Any) -> bool:
        """Somebody went; returns whether all the people are gone."""
        self._people.left(participant["id"])
        self._forget(participant["id"])
        self._call_roll()
        return self._is_empty

    @property
    def _is_empty(self) -> bool:
        return self._was_peopled and not self._people.here

    def introduce(self, context: LLMContext) -> None:
        """Have the model know who is here before it begins.

        Later it can't be told without a turn, but what a new link is seeded with is kept right.
        """
        self._context = context
        self._call_roll()

    def _call_roll(self) -> None:
        if (context := self._context) is None:
            return
        messages = [message for message in context.messages if message is not self._roll]
        self._called = self._people.here
        told = roll_call(self._called)
        self._roll = {"role": "developer", "content": told} if told else None
        context.set_messages([self._roll, *messages] if self._roll else messages)

    def _updated(self, participant: Mapping[str, Any]) -> None:
        who = participant["id"]
        if not self._people.name_of(who):
            return
        self._people.joined(participant)
        if self._people.here != self._called:
            self._call_roll()
        media = participant.get("media") or {}
        camera, screen = (_is_sent(media.get(source)) for source in (CAMERA, SCREEN))
        self._presenting.sends(who, camera=camera, screen=screen, now_s=self._clock())
        self._changed.set()

    def _forget(self, who: str) -> None:
        self._presenting.left(who)
        self._pieces.left(who)
        self.media.left(who)
        self._captured = {track for track in self._captured if track[0] != who}
        self._asked = {track for track in self._asked if track[0] != who}
        self._changed.set()

    # --- who is seen ------------------------------------------------------------------------------

    def is_shown(self, who: str, source: str) -> bool:
        """Whether the model sees this camera or screen."""
        return self._shown.has(who, source)

    @property
    def pressure(self) -> float:
        """How hard it is to get anything over the room's line, from 0 to 1."""
        return self._line.pressure

    async def requested(self, who: str, source: str) -> None:
        """A frame of this one is asked for: it is taken for as long, if it is not shown."""
        if (who, source) not in self._captured and self._people.name_of(who):
            self._asked.add((who, source))
            await self._capture(who, source)

    async def answered(self, who: str, source: str) -> None:
        """That frame has come."""
        self._asked.discard((who, source))
        self._changed.set()

    async def look(self) -> None:
        """See to it that those are taken whose turn it is, and no others."""
        self._shown = self._presenting.choose(self._clock())
        wanted = self._shown.tracks | self._asked
        for who, source in sorted(self._captured - wanted):
            self._captured.discard((who, source))
            media = {"media": {source: "unsubscribed"}}
            await self._transport.update_subscriptions(participant_settings={who: media})
        for who, source in sorted(wanted - self._captured):
            await self._capture(who, source)

    async def _capture(self, who: str, source: str) -> None:
        self._captured.add((who, source))
        await self._transport.capture_participant_video(who, VIDEO_IN_FPS, source)

    async def _speaks(self, who: str | None) -> None:
        if who is not None:
            self._presenting.speaks(who, self._clock())
        name = self._people.name_of(who) if who else None
        await self._tell({"type": "speaker", "name": name})

    # --- its life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look after cameras and the line, until cancelled."""
        measured_s, has_failed = self._clock(), False
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            try:
                await self.look()
                if self._clock() - measured_s >= MEASURE_S:
                    measured_s = self._clock()
                    await self._measure()
            except Exception:
                # Whatever it is, people are heard; it is tried again, and told once.
                if not has_failed:
                    has_failed = True
                    logger.exception(f"Session {self._name}: the room could not be looked after")

    async def _measure(self) -> None:
        """Ask Daily's client, which Pipecat 1.14.0 does not pass on."""
        client = self._transport._client._client
        told = await asyncio.to_thread(client.get_network_stats)
        stats = self._line.measured(told, self._clock())
        if stats:
            self._line_is(stats)

    # --- what is written --------------------------------------------------------------------------

    async def write(self, text: str) -> None:
        """Write an answer into the chat of Daily's own page."""
        for piece in messages.chat_pieces(text):
            await self._transport.send_prebuilt_chat_message(piece, self._title)

    async def _message(self, message: Any, sender: str) -> None:
        """In the place of the input's own: what is no page's message is read here."""
        # Who has just come is told of by a task (Pipecat 1.14.0), which is to run first.
        await asyncio.sleep(0)
        read = messages.read(message)
        if isinstance(read, Rtvi) and read.is_of_a_bot:
            return await self._is_a_bot(sender)
        if read is None or self._people.is_program(sender):
            return
        name = self._people.name_of(sender) if self._people.are_several else ""
        if isinstance(read, Chat):
            typed = messages.typed(read.text, id=uuid.uuid4().hex)
            return await self._push_message(messages.signed(typed, name), sender)
        piece = read.picture_piece
        if piece is not None:
            return await self._picture(piece, name, sender)
        if read.type == _ENDS_BOT and self._people.are_several:
            return  # who goes, goes; the others stay
        await self._push_message(messages.signed(read.message, name), sender)
        if read.type == "client-ready":
            if self._has_page:
                await self._welcome()
            self._has_page = True

    async def _picture(self, piece: object, name: str, sender: str) -> None:
        try:
            whole = self._pieces.add(sender, piece, self._clock())
        except PieceError as error:
            return await self._tell_one(refusal(str(error)), sender)
        if whole:
            sent = messages.sent_picture(
                whole.data,
                format=whole.format,
                name=whole.name,
                caption=whole.caption,
                id=uuid.uuid4().hex,
            )
            await self._push_message(messages.signed(sent, name), sender)

    async def _tell_one(self, message: Mapping[str, Any], who: str) -> None:
        from pipecat.transports.daily.transport import DailyOutputTransportMessageUrgentFrame

        frame = DailyOutputTransportMessageUrgentFrame(message=dict(message), participant_id=who)
        await self._transport.output().send_message(frame)

    async def _is_a_bot(self, who: str) -> None:
        if self._people.is_a_bot(who):
            logger.info(f"Session {self._name}: somebody in the room is a bot")
            self._forget(who)
            self._call_roll()
            if self._is_empty:
                await self._emptied()


def _is_sent(track: object) -> bool:
    state = track.get("state") if isinstance(track, Mapping) else None
    return isinstance(state, str) and state not in _NOT_SENT
