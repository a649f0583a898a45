"""What a sender or receiver of aiortc sends over, where nothing is to be sent for real."""

from aiortc.rtp import RTCP_PSFB_PLI, RtcpPacket, RtcpPsfbPacket


class SilentTransport:
    """In a DTLS transport's place: remembers the RTCP that a receiver sends."""

    state = "connected"
    _stats_id = "line"

    def __init__(self):
        self.sent: list[bytes] = []

    def _register_rtp_receiver(self, receiver, parameters):
        pass

    def _unregister_rtp_receiver(self, receiver):
        pass

    async def _send_rtp(self, data: bytes) -> None:
        self.sent.append(data)

    def asked_for_a_keyframe(self) -> bool:
        packets = [packet for data in self.sent for packet in RtcpPacket.parse(data)]
        return any(isinstance(p, RtcpPsfbPacket) and p.fmt == RTCP_PSFB_PLI for p in packets)
