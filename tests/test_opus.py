"""Opus in and out, what is lost in between, and what PyAV's own wrapper does."""

import ctypes

import numpy as np
import pytest
from aiortc.codecs.opus import OpusDecoder as AiortcOpusDecoder
from aiortc.jitterbuffer import JitterFrame
from av import AudioFrame
from hypothesis import given
from hypothesis import strategies as st

from pipeline.opus import BITRATE_BPS, OpusDecoder, OpusEncoder
from tests.support.sound import level, tone

RATE_HZ = 16_000


def packets(
    seconds: float, *, rate_hz: int = 24_000, voip: bool = False, fec: bool = False
) -> list[bytes]:
    """A tone, encoded; as a browser does it, `voip`, and one that was told of losses, `fec`."""
    encoder = OpusEncoder(rate_hz)
    if voip or fec:
        encoder._opus.opus_encoder_init(encoder._state, rate_hz, 1, 2048)
        settings = (
            ((4002, 20_000), (4012, 1), (4014, 20)) if fec else ((4002, BITRATE_BPS), (4010, 5))
        )
        for setting, value in settings:
            encoder._opus.opus_encoder_ctl(encoder._state, setting, ctypes.c_int(value))
    pcm, size = tone(seconds, rate_hz).tobytes(), 2 * rate_hz // 50
    return [encoder.encode(pcm[at : at + size]) for at in range(0, len(pcm), size)]


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, np.int16)


def test_pyavs_wrapper_knows_one_rate_and_conceals_nothing():
    decoder = AiortcOpusDecoder()
    (frame,) = decoder.decode(JitterFrame(packets(0.02)[0], 0))
    assert isinstance(frame, AudioFrame)
    assert (frame.sample_rate, frame.layout.name) == (48_000, "stereo")
    assert decoder.decode(JitterFrame(b"", 960)) == []


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_a_tone_comes_out_as_it_went_in(rate_hz):
    decoder = OpusDecoder(RATE_HZ)
    heard = samples(b"".join(decoder.decode(packet) for packet in packets(1.0, rate_hz=rate_hz)))
    assert len(heard) == RATE_HZ
    spectrum = np.abs(np.fft.rfft(heard[RATE_HZ // 2 :]))
    assert spectrum.argmax() * 2 == 440
    assert level(heard[RATE_HZ // 2 :]) == pytest.approx(level(tone(1.0, RATE_HZ)), rel=0.1)


def test_what_is_lost_is_concealed_and_fades():
    decoder = OpusDecoder(RATE_HZ)
    heard = [samples(decoder.decode(packet)) for packet in packets(0.5, voip=True)][-1]
    concealed = [samples(decoder.conceal()) for _ in range(50)]
    assert {len(frame) for frame in concealed} == {RATE_HZ // 50}
    assert level(concealed[0]) == pytest.approx(level(heard), rel=0.5)
    assert level(concealed[-1]) < 0.02 * level(heard)


def test_what_is_lost_is_taken_from_the_next_packet_if_it_carries_a_copy():
    sent = packets(1.0, rate_hz=16_000, fec=True)
    whole, lossy, blind = (OpusDecoder(RATE_HZ) for _ in range(3))
    for packet in sent[:30]:
        for decoder in (whole, lossy, blind):
            decoder.decode(packet)
    expected = samples(whole.decode(sent[30])).astype(float)
    copy, guess = (samples(d).astype(float) for d in (lossy.conceal(sent[31]), blind.conceal()))
    assert level(copy - expected) < level(guess - expected)
    assert np.corrcoef(copy, expected)[0, 1] > 0.9


def test_a_concealed_packet_is_as_long_as_the_one_before():
    encoder = OpusEncoder(48_000)
    size = encoder._opus.opus_encode(
        encoder._state, bytes(2 * 2880), 2880, encoder._payload, len(encoder._payload)
    )
    decoder = OpusDecoder(RATE_HZ)
    assert len(decoder.decode(encoder._payload.raw[:size])) == 2 * RATE_HZ * 60 // 1000
    assert len(decoder.conceal()) == 2 * RATE_HZ * 60 // 1000


@pytest.mark.parametrize("payload", [b"", b"\xff\xff\xff", b"\x7b" + bytes(3)])
def test_a_broken_packet_is_taken_for_a_lost_one(payload):
    decoder = OpusDecoder(RATE_HZ)
    assert len(decoder.decode(payload)) == 2 * RATE_HZ // 50
    assert len(decoder.conceal(payload)) == 2 * RATE_HZ // 50


@given(payloads=st.lists(st.binary(max_size=1500), max_size=20))
def test_whatever_comes_it_is_taken_for_sound_of_at_most_120_ms(payloads):
    decoder = OpusDecoder(RATE_HZ)
    for payload in payloads:
        for pcm in (decoder.conceal(payload), decoder.decode(payload)):
            assert 0 < len(pcm) <= 2 * RATE_HZ * 120 // 1000


def test_sound_is_encoded_by_the_faster_codec_of_the_two():
    """The first five bits of a packet tell (RFC 6716, 3.1): from 16 on it is CELT alone."""
    assert {packet[0] >> 3 for packet in packets(0.5, voip=True)} <= set(range(16))
    assert {packet[0] >> 3 for packet in packets(0.5)} <= set(range(16, 32))


def test_only_whole_frames_are_encoded():
    with pytest.raises(ValueError, match="0.02 s"):
        OpusEncoder(24_000).encode(bytes(100))


@pytest.mark.parametrize("codec", [OpusDecoder, OpusEncoder])
def test_a_rate_that_opus_does_not_have_is_refused(codec):
    with pytest.raises(ValueError, match="22050 Hz"):
        codec(22_050)
