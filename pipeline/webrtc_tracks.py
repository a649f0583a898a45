"""Receiving over WebRTC without holes of our own making.

Pipecat 1.14.0 turns a receiver off until somebody reads from it, and again while nobody does. What
arrives meanwhile is thrown away, but the jitter buffer still waits for it: a camera whose first
packets came before the bot was ready shows nothing until 512 more packets have come, about 20 s
(seen in 2 of 3 first sessions of a process), and audio runs 200 ms late for the rest of the call.
Audio goes by another buffer altogether, see `webrtc_audio`.
"""

from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpreceiver import NackGenerator, RTCRtpReceiver
from pipecat.transports.smallwebrtc import connection
from pipecat.transports.smallwebrtc.connection import SmallWebRTCTrack

from pipeline.webrtc_audio import AudioIn, use_opus
from pipeline.webrtc_decoding import use_newest_frames


class FreshTrack(SmallWebRTCTrack):
    """A track whose receiver begins anew whenever it is turned on again."""

    async def recv(self):
        """The next frame of sound, or the newest of a video, None when it was taken already.

        Of a receiver that was off, the next one that can be decoded; Pipecat 1.14.0 waits there for
        what it has thrown away.
        """
        if not self._receiver._enabled:
            start_afresh(self._receiver)
        if self._track.kind == "video":
            self._receiver._RTCRtpReceiver__decoder_queue.want()  # pyright: ignore
        return await super().recv()


def start_afresh(receiver: RTCRtpReceiver) -> None:
    """Forget what was missed. aiortc 1.16 has no method for it: the buffers are replaced.

    What was thrown away would count as lost, here and in the reports to the sender.
    """
    receiver._RTCRtpReceiver__remote_streams.clear()  # pyright: ignore
    if receiver.track.kind == "audio":
        _start_audio_afresh(receiver)
    else:
        _start_video_afresh(receiver)


def _start_audio_afresh(receiver: RTCRtpReceiver) -> None:
    old: JitterBuffer | AudioIn = receiver._RTCRtpReceiver__jitter_buffer  # pyright: ignore
    if isinstance(old, AudioIn):
        old.close()
    new = AudioIn(receiver.track._queue)  # pyright: ignore
    receiver._RTCRtpReceiver__jitter_buffer = new  # pyright: ignore


def _start_video_afresh(receiver: RTCRtpReceiver) -> None:
    """Also ask for a keyframe: with the flag that a decoder sets on an error goes the next PLI."""
    old: JitterBuffer = receiver._RTCRtpReceiver__jitter_buffer  # pyright: ignore
    receiver._RTCRtpReceiver__jitter_buffer = JitterBuffer(  # pyright: ignore
        capacity=old.capacity, prefetch=old._prefetch, is_video=True
    )
    receiver._RTCRtpReceiver__nack_generator = NackGenerator()  # pyright: ignore
    receiver._RTCRtpReceiver__decoder_queue.clear()  # pyright: ignore
    receiver._RTCRtpReceiver__decoder_error.set()  # pyright: ignore


def use_fresh_tracks() -> None:
    """Make Pipecat's connections wrap their receivers in `FreshTrack`; doing it twice is harmless."""
    use_opus()
    use_newest_frames()
    connection.SmallWebRTCTrack = FreshTrack  # pyright: ignore
