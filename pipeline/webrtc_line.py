"""What a WebRTC connection knows of the line to the caller, and what follows for its video.

The receivers know what did not come, the caller's reports tell what it missed of ours. While that is
bad the model is shown less (see `frame_schedule`), and the caller is asked to send less: sound goes
first.
"""

import time
from collections.abc import Callable

from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.stats import RTCRemoteInboundRtpStreamStats

from pipeline.frame_schedule import ease_of
from pipeline.line_quality import Count, LineQuality

READ_S = 2.0
"""How often the counters are read, while there is video."""
SCREEN_BPS = 1_500_000
CAMERA_BPS = 500_000
"""What is asked of a sender at most: enough for five frames a second in the size that is looked at.
Browsers send up to 2.5 Mbit/s of each."""
OVERUSED_MS = 10_000
"""For how long aiortc's estimate counts after it has seen a queue grow."""
ACTIVE_MS = 2000


class CallersLine:
    """The line to the caller.

    Args:
        connection: Returns the connection of the moment.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        connection: Callable[[], RTCPeerConnection],
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._connection = connection
        self._clock = clock
        self._quality = LineQuality()
        self._read_s = clock()
        self._asked: dict[str, tuple[int, int]] = {}

    @property
    def pressure(self) -> float:
        """How hard it is to get anything over the line, from 0 to less than 1."""
        now_s = self._clock()
        if now_s - self._read_s >= READ_S:
            self._read_s = now_s
            self._read(now_s)
        return self._quality.pressure

    def asks(self, source: str, bitrate_bps: int, *, now_ms: int) -> int:
        """Take what one source may send; returns what all that send now may, together.

        A browser takes the latest report for all of its video, whichever stream it names.
        """
        self._asked[source] = (bitrate_bps, now_ms)
        return sum(bps for bps, at_ms in self._asked.values() if now_ms - at_ms < ACTIVE_MS)

    def _read(self, now_s: float) -> None:
        """Read the counters where aiortc 1.16.0 keeps them.

        Its `getStats` are coroutines, and tell of one stream of each receiver: of a video that has
        been repeated in part, the repetitions.
        """
        received: dict[int, Count] = {}
        sent: dict[int, Count] = {}
        rtt_s, jitter_s = None, 0.0
        for transceiver in self._connection().getTransceivers():
            receiver, sender = transceiver.receiver, transceiver.sender
            streams: dict[int, StreamStatistics] = receiver._RTCRtpReceiver__remote_streams  # pyright: ignore
            for ssrc, stream in streams.items():
                received[ssrc] = Count(stream.packets_expected, stream.packets_lost)
                if transceiver.kind == "audio":
                    jitter_s = max(jitter_s, stream.jitter / stream._clockrate)
            for stats in sender._RTCRtpSender__stats.values():  # pyright: ignore
                if isinstance(stats, RTCRemoteInboundRtpStreamStats):
                    all_sent = stats.packetsReceived + stats.packetsLost
                    sent[sender._ssrc] = Count(all_sent, stats.packetsLost)
                    rtt_s = stats.roundTripTime if rtt_s is None else rtt_s
        self._quality.measured(
            received=received, sent=sent, rtt_s=rtt_s, jitter_s=jitter_s, now_s=now_s
        )


class ModestEstimator(RemoteBitrateEstimator):
    """In the place of a receiver's estimator: asks for no more than the model has use for.

    aiortc 1.16.0 asks for what comes and half of it again, however much that is, and for next to
    nothing of a screen that has stood still: its next page would take many seconds. It says nothing
    at all in the first three.

    Args:
        source: `camera` or `screenVideo`.
        line: What it comes over.
    """

    def __init__(self, source: str, line: CallersLine):
        super().__init__()
        self._source = source
        self._line = line
        self._told_bps = 0
        self._overused_ms = -OVERUSED_MS

    def add(
        self, arrival_time_ms: int, abs_send_time: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """A packet came; returns what to report, in bits a second and for which streams, if anything."""
        estimate = super().add(arrival_time_ms, abs_send_time, payload_size, ssrc)
        if self.detector.state() is BandwidthUsage.OVERUSING:
            self._overused_ms = arrival_time_ms
        most_bps = SCREEN_BPS if self._source == "screenVideo" else CAMERA_BPS
        bps = round(most_bps * ease_of(self._line.pressure).bitrate)
        if estimate is None and bps == self._told_bps:
            return None
        self._told_bps = bps
        if estimate and arrival_time_ms - self._overused_ms < OVERUSED_MS:
            bps = min(bps, max(estimate[0], round(most_bps * ease_of(1).bitrate)))
        return self._line.asks(self._source, bps, now_ms=arrival_time_ms), list(self.ssrcs)


def ask_for_less(receiver: RTCRtpReceiver, *, source: str, line: CallersLine) -> None:
    """Have a receiver of video ask its sender for no more than there is use for."""
    estimator = ModestEstimator(source, line)
    receiver._RTCRtpReceiver__remote_bitrate_estimator = estimator  # pyright: ignore
