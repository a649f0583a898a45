"""A WebRTC client whose connection may go, and come again.

Pipecat 1.14.0 can put a new connection in the place of one (`renegotiate` with `restart_pc`), also of
one that is closed. But whoever is just writing to the bot's track then waits for ever, which after 10 s
ends the session; and what is sent while there is nobody is kept for whoever comes.
"""

from pipecat.frames.frames import OutputTransportMessageFrame, OutputTransportMessageUrgentFrame
from pipecat.transports.smallwebrtc.transport import SmallWebRTCClient

from pipeline.webrtc_audio import AudioOut


class RenewableClient(SmallWebRTCClient):
    """Lets go of a connection that is gone."""

    async def _handle_peer_disconnected(self):
        """Release who writes to the track; Pipecat 1.14.0 only forgets it."""
        self._release_writers()
        await super()._handle_peer_disconnected()

    async def _handle_client_closed(self):
        """Release who writes to the track; Pipecat 1.14.0 only forgets it."""
        self._release_writers()
        await super()._handle_client_closed()

    def _release_writers(self):
        if isinstance(self._audio_output_track, AudioOut):
            self._audio_output_track.drop()

    async def send_message(
        self, frame: OutputTransportMessageFrame | OutputTransportMessageUrgentFrame
    ):
        """Send a message, unless nobody is there; Pipecat 1.14.0 keeps 50 and complains of more."""
        if self._webrtc_connection.pc.connectionState != "closed":
            await super().send_message(frame)
