"""Which STUN and TURN servers a call may use: those that are set, and those minted for it."""

import time
from typing import Any

from pipeline.ice_servers import ice_servers, own_ice_servers
from pipeline.settings import Settings
from serving.turn_credentials import TurnCredentials


class IceOfCalls:
    """The servers of each session.

    Args:
        settings: Of this server.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._turn = TurnCredentials(settings)

    async def of_caller(self, session_id: str) -> list[dict[str, Any]]:
        """Those that a session's caller may use."""
        minted = await self._turn.servers(session_id)
        return ice_servers(self._settings, session_id=session_id, now_s=time.time(), minted=minted)

    async def of_process(self, session_id: str, *, is_first: bool) -> list[dict[str, Any]]:
        """Those that a session's own process uses.

        Args:
            session_id: The session.
            is_first: Whether it is only about to begin.
        """
        minted = []
        # A server that took over from the one that accepted the call asks anew.
        if not self._settings.public_address and is_first:
            minted = await self._turn.servers(session_id)
        return own_ice_servers(
            self._settings, session_id=session_id, now_s=time.time(), minted=minted
        )

    def forget(self, session_id: str) -> None:
        """Forget what was minted for a session."""
        self._turn.forget(session_id)

    async def aclose(self) -> None:
        """Close the connections to who mints."""
        await self._turn.aclose()
