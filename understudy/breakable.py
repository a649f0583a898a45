"""A WebSocket whose link can be broken on command."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing the socket sends RST instead of FIN."""


class BreakableConnection(ServerConnection):
    """A server's connection that can reset, fall silent, and answer pings late or never.

    The overrides are of websockets 17: `data_received` and `send_data` are where bytes come in
    and go out, `protocol.send_frame` is where a ping's pong is written.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_silent = False
        self._was_reset = False
        self._pong_delay_s: float | None = 0.0
        self._send_frame = self.protocol.send_frame
        self.protocol.send_frame = self._send_frame_or_pong

    @property
    def was_ended_here(self) -> bool:
        """Whether this side closed or reset the connection, and not the client."""
        closed = self.protocol.close_sent is not None and not self.protocol.close_rcvd_then_sent
        return self._was_reset or closed

    def reset(self) -> None:
        """Resets the TCP connection."""
        self._was_reset = True
        if (link := self.transport.get_extra_info("socket")) is not None:
            # A second handle on it: uvloop's transports hand out a socket without setsockopt.
            with socket.socket(fileno=os.dup(link.fileno())) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()

    def fall_silent(self) -> None:
        """Stops reading and writing, with the socket open."""
        self._is_silent = True
        if self.keepalive_task is not None:
            self.keepalive_task.cancel()

    def delay_pongs(self, delay_s: float | None) -> None:
        """Answers pings so much later from now on; None: never."""
        self._pong_delay_s = delay_s

    def connection_lost(self, exc: Exception | None) -> None:
        """Takes note that the connection is gone."""
        super().connection_lost(exc)
        # It leads back here: 300 KB of TLS buffers would wait for the garbage collector.
        del self.protocol.send_frame

    def data_received(self, data: bytes) -> None:
        """Takes bytes from the transport."""
        if not self._is_silent:
            super().data_received(data)

    def send_data(self) -> None:
        """Hands bytes to the transport."""
        if self._is_silent:
            self.protocol.data_to_send()
        else:
            super().send_data()

    def _send_frame_or_pong(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG or self._pong_delay_s == 0:
            self._send_frame(frame)
        elif self._pong_delay_s is not None:
            asyncio.get_running_loop().call_later(self._pong_delay_s, self._send_late, frame)

    def _send_late(self, frame: Frame) -> None:
        if not self.transport.is_closing():
            self._send_frame(frame)
            self.send_data()
