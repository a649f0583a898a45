"""Who is there, and how they are told what becomes of the conversation."""

import asyncio
from typing import Any

from loguru import logger
from pipecat.processors.frameworks.rtvi import RTVIProcessor

from pipeline.announcements import FAILURES, ON_THE_PHONE, Announcement
from pipeline.link import LinkState
from pipeline.live_news import LinkNews
from processors.announcer import Announcer

PAGE_READY_S = 2.0
"""How long the greeting waits for a client that connected to say that it is ready to hear it.

Pages say so; phones and plain clients never do, and some mobile clients forget to."""

TELL_S = 5.0
"""How long bad news waits for somebody to be there, so that a session can't end unheard."""


class Audience:
    """Tells a page by RTVI server messages, and a caller without one by voice.

    What concerns everybody who talks, that the conversation will end and that it ends, is said
    aloud to all: who has a page need not be looking at it. The voice is a local one, not the
    model's. The Live API takes no hint that it does not act upon: text counts as something that
    the user says, which interrupts and is answered, a content turn interrupts too and is refused
    by 3.1, and a change of the instruction is known to 3.8 alone.

    Args:
        announcer: The local voice.
        rtvi: The way to the page.
        name: Of the session, for the log.
        can_have_page: Whether they may have a page; who is on the telephone has none.
    """

    def __init__(
        self, *, announcer: Announcer, rtvi: RTVIProcessor, name: str, can_have_page: bool = True
    ):
        self._can_have_page = can_have_page
        self._announcer = announcer
        self._rtvi = rtvi
        self._name = name
        self._connected = asyncio.Event()
        self._ready = asyncio.Event()
        self._is_met = asyncio.Event()

        @rtvi.event_handler("on_client_ready")
        async def on_client_ready(rtvi: RTVIProcessor):
            self._ready.set()

    # --- who is there ---------------------------------------------------------------------------

    def connected(self) -> None:
        """Somebody is on the line."""
        self._connected.set()

    @property
    def is_connected(self) -> bool:
        """Whether somebody is, or was, on the line."""
        return self._connected.is_set()

    async def meet(self) -> None:
        """Wait for somebody, and until it is known whether they have a page."""
        await self._connected.wait()
        if self._can_have_page:
            try:
                await asyncio.wait_for(self._ready.wait(), PAGE_READY_S)
            except TimeoutError:
                logger.debug(f"Session {self._name}: the client does not say that it is ready")
        self._is_met.set()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._connected.wait(), TELL_S)
            await self._is_met.wait()
        except TimeoutError:
            logger.warning(f"Session {self._name}: nobody could be told")

    @property
    def has_page(self) -> bool:
        """Whether they can read what they are told."""
        return self._ready.is_set()

    # --- how they are told ----------------------------------------------------------------------

    async def tell(self, message: dict[str, Any]) -> None:
        """Tell the page, if there is one."""
        await self._rtvi.send_server_message(message)

    async def prepare(self) -> None:
        """Have at hand what a caller without a page may have to be told."""
        if not self.has_page:
            await self._announcer.prepare(Announcement.RECONNECTING)
        if not self._can_have_page:
            for announcement in ON_THE_PHONE:
                await self._announcer.prepare(announcement)

    async def announce_link(self, link: LinkNews) -> None:
        """Say it to a caller without a page when the model has been out of reach for a while."""
        if link.state is LinkState.DEGRADED and not self.has_page:
            await self._announcer.announce(Announcement.RECONNECTING)
        elif link.state is LinkState.READY:
            await self._announcer.withdraw(Announcement.RECONNECTING)

    async def tell_link(self, link: LinkNews) -> None:
        """Tell the page what becomes of the link to the model."""
        news = {"state": link.state, "text": link.text, "notice": link.is_notice}
        await self.tell({"type": "link", **news})

    async def tell_failure(self, link: LinkNews) -> None:
        """Tell that the conversation ends because the model can't be reached."""
        await self._wait()
        if link.verdict is not None and not self.has_page:
            self._announcer.say_at_the_end(FAILURES[link.verdict])
        await self.tell_link(link)
        await self.tell({"type": "ended", "text": link.text})

    async def say(self, announcement: Announcement) -> None:
        """Say something as soon as the bot is silent."""
        await self._announcer.announce(announcement)

    async def warn(self, message: dict[str, Any]) -> None:
        """Tell that the conversation will end soon."""
        await self.tell(message)
        await self._announcer.announce(Announcement.ENDING_SOON)

    async def say_goodbye(self, text: str, goodbye: Announcement | None) -> None:
        """Tell that the conversation ends; it is said last, when all else has been heard."""
        if goodbye:
            self._announcer.say_at_the_end(goodbye)
        await self.tell({"type": "ended", "text": text})

    async def wait_for_goodbye(self) -> None:
        """Wait until all else has been heard, and the goodbye begins."""
        await self._announcer.is_ending.wait()
