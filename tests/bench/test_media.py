"""The load generator measures what it says, and the table is what the figures say."""

import asyncio
import json
import time
from dataclasses import replace

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame
from av import AudioFrame

from bench.media.clips import FPS, KEYFRAME_EVERY, Spoken, camera_vp8, question_opus, question_pcm
from bench.media.conversation import Call, Question, Talk, converse
from bench.media.figures import Figures, UnmatchedError, figures
from bench.media.heard import Heard
from bench.media.line import Fate, Line
from bench.media.loudness import LOUD_DBFS, loud_span
from bench.media.rows import Row
from bench.media.table import page, table
from bench.media.targets import targets
from bench.media.timed_understudy import pauses_s
from bench.media.webrtc import Microphone, WebRtcCaller, _Ear


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return question_opus()


def decoded(packets):
    decoder = OpusDecoder()
    for number, packet in enumerate(packets):
        for frame in decoder.decode(JitterFrame(packet, number * 960)):
            assert isinstance(frame, AudioFrame)
            yield frame.to_ndarray().reshape(-1, 2)[:, 0]


def dbfs(samples):
    return 20 * np.log10(max(1e-5, np.sqrt(np.mean((samples / 32768.0) ** 2))))


# --- what is sent -------------------------------------------------------------------------------


def test_the_last_loud_packet_is_the_last_of_the_question(spoken):
    heard = list(decoded([spoken.silence, *spoken.pieces, *[spoken.silence] * 5]))
    loud = [number for number, samples in enumerate(heard) if dbfs(samples) > LOUD_DBFS]
    assert loud[0] == 1
    assert loud[-1] == len(spoken.pieces)
    assert loud_span(heard[loud[0]], rate_hz=48_000)[0] == pytest.approx(0.0065, abs=0.004)
    assert loud_span(heard[loud[-1]], rate_hz=48_000)[1] == pytest.approx(0.01, abs=0.001)


def test_the_question_as_pcm_ends_in_the_middle_of_its_last_piece():
    pieces = question_pcm().pieces
    last = np.frombuffer(pieces[-1], np.int16)
    assert loud_span(last, rate_hz=16_000)[1] == pytest.approx(0.01, abs=0.001)


def test_each_thirtieth_frame_is_a_keyframe():
    frames = camera_vp8()
    assert len(frames) == 8 * FPS
    # RFC 6386 section 9.1: the first bit of a frame is 0 in a keyframe.
    keyframes = [number for number, frame in enumerate(frames) if not frame[0] & 1]
    assert keyframes == list(range(0, len(frames), KEYFRAME_EVERY))


# --- the line -----------------------------------------------------------------------------------


def fates(line: Line, count: int = 20_000) -> list[float | None]:
    fate = Fate(line)
    return [fate.next(number * 0.02) for number in range(count)]


@pytest.mark.parametrize("burst", [1, 4])
def test_a_line_loses_its_share_in_bursts_of_their_length(burst):
    lost = [at_s is None for at_s in fates(Line(loss=0.05, burst=burst))]
    runs = sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
    assert sum(lost) / len(lost) == pytest.approx(0.05, abs=0.01)
    assert sum(lost) / runs == pytest.approx(burst, rel=0.15)


def test_what_is_vital_is_not_lost():
    fate = Fate(Line(loss=0.5))
    assert all(fate.next(0, is_vital=True) is not None for _ in range(100))


def test_jitter_keeps_order_and_reordering_does_not():
    jittered = [at_s or 0 for at_s in fates(Line(jitter_ms=40))]
    assert jittered == sorted(jittered)
    late = [at_s - number * 0.02 for number, at_s in enumerate(jittered)]
    assert max(late) == pytest.approx(0.04, abs=0.001)
    reordered = [at_s or 0 for at_s in fates(Line(reorder=0.02))]
    overtaken = sum(a > b for a, b in zip(reordered, reordered[1:], strict=False))
    assert overtaken == pytest.approx(400, rel=0.2)


# --- the path -----------------------------------------------------------------------------------


class Echo:
    """A server and a model in one: hears each packet, and answers a question with itself."""

    def __init__(self, spoken: Spoken):
        self.record: list[dict] = []
        self._heard = Heard()
        self._microphone = Microphone(spoken)
        self._spoken = spoken
        self._seen = 0

    async def accept(self, sdp: str) -> str:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._note("connected")
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        self.pc.addTrack(self._microphone)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        for receiver in self.pc.getReceivers():
            receiver._RTCRtpReceiver__jitter_buffer = _Ear(self._heard)  # pyright: ignore
        self.task = asyncio.create_task(self._run())
        return self.pc.localDescription.sdp

    async def _run(self):
        while True:
            await asyncio.sleep(0.002)
            for at_s, _, first_s, _ in self._heard.rows[self._seen :]:
                self._note("audio", at_s, dbfs=-90.0 if first_s is None else -20.0)
            self._seen = len(self._heard.rows)
            if self._question_is_over():
                await self._answer()

    def _question_is_over(self) -> bool:
        loud = [row for row in self._heard.rows if row[2] is not None]
        if not loud or time.monotonic() - loud[-1][0] < 0.2:
            return False
        self._heard.rows.clear()
        self._seen = 0
        return True

    async def _answer(self):
        first_s, _ = await self._microphone.say(loses_one=False)
        seconds = self._spoken.seconds
        self._note("audio_sent", first_s, s=seconds, first_s=0.0065, last_s=seconds - 0.01)

    def _note(self, event: str, at_s: float | None = None, **fields):
        at_s = time.monotonic() if at_s is None else at_s
        self.record.append({"t": at_s, "session": "s1", "event": event, **fields})
        self.record.sort(key=lambda noted: noted["t"])


class EchoCaller(WebRtcCaller):
    """Calls an echo in this process."""

    def __init__(self, echo: Echo, spoken: Spoken, line: Line):
        super().__init__("http://echo", spoken=spoken, line=line, is_pipecat=False)
        self._echo = echo

    async def _post(self, http, path, more):
        return await self._echo.accept(self._pc.localDescription.sdp)


async def measured(spoken: Spoken, line: Line) -> Figures:
    echo = Echo(spoken)
    caller = EchoCaller(echo, spoken, line)
    await caller.begin()
    call = await converse(caller, Talk(turns=1, barge_ins=0))
    await caller.end()
    echo.task.cancel()
    await asyncio.gather(echo.task, return_exceptions=True)
    await echo.pc.close()
    return figures([call], echo.record)


async def test_a_delay_of_a_second_is_found_as_a_second_more(spoken):
    # So long that a machine that does other things besides is no matter.
    short = replace(spoken, pieces=spoken.pieces[-20:])
    direct, late = await asyncio.gather(
        measured(short, Line()), measured(short, Line(delay_ms=1000))
    )
    assert len(direct.uplink) == len(late.uplink) == 1
    assert min(late.uplink) - min(direct.uplink) == pytest.approx(1000, abs=200)
    assert min(late.start) - min(direct.start) == pytest.approx(1000, abs=200)
    assert min(late.downlink) - min(direct.downlink) == pytest.approx(0, abs=200)


def test_answers_begin_all_over_a_packets_time():
    begins = sorted(next(pauses_s) for _ in range(12))
    assert 0 <= begins[0] < 0.003 and 0.017 < begins[-1] < 0.02
    assert max(b - a for a, b in zip(begins, begins[1:], strict=False)) < 0.004


# --- what is heard ------------------------------------------------------------------------------


def test_what_is_queued_is_played_one_after_the_other_until_it_is_flushed():
    heard = Heard()
    for _ in range(3):
        heard.queue(np.full(24_000, 9_000, np.int16), rate_hz=24_000, at_s=10.0)
    assert [row[0] for row in heard.rows] == [10.0, 11.0, 12.0]
    heard.flush(11.5)
    assert heard.rows == [(10.0, 1.0, 0.0, 1.0), (11.0, 0.5, 0.0, 0.5)]
    heard.queue(np.zeros(24_000, np.int16), rate_hz=24_000, at_s=11.6)
    assert heard.rows[-1] == (11.6, 1.0, None, None)
    assert heard.is_loud_since(11.4, 20.0) and not heard.is_loud_since(11.5, 20.0)


def test_a_packet_is_not_played_before_its_place():
    heard = Heard()

    def play(at_s: float, media_s: float):
        heard.play(np.zeros(960, np.int16), rate_hz=48_000, at_s=at_s, media_s=media_s)
        return heard.rows[-1][0]

    assert play(10.0, 5.0) == pytest.approx(10.0)
    assert play(10.0, 5.02) == pytest.approx(10.02)  # both at once
    assert play(10.09, 5.04) == pytest.approx(10.09)  # late
    assert play(10.10, 5.06) == pytest.approx(10.11)  # behind it
    assert play(10.40, 5.40) == pytest.approx(10.40)  # long ago


# --- the figures --------------------------------------------------------------------------------


def event(t: float, kind: str, session: str = "s1", **fields):
    return {"t": t, "session": session, "event": kind, **fields}


def conversation() -> tuple[Call, list[dict]]:
    """A question answered, one that is not, and one into an answer."""
    call = Call(
        offer_s=100.0,
        begun_s=101.0,
        ended_s=131.0,
        questions=[
            Question(first_s=102.0, last_s=103.0),
            Question(first_s=108.0, last_s=109.0),
            Question(first_s=120.0, last_s=121.0, counts=False),
            Question(first_s=123.5, last_s=124.5, counts=False, interrupts=True),
        ],
        heard=[
            (104.10, 0.02, 0.010, 0.02),
            *((104.12 + 0.02 * n, 0.02, 0.0, 0.02) for n in range(99)),
            (106.10, 0.02, None, None),
            *((122.0 + 0.02 * n, 0.02, 0.0, 0.02) for n in range(85)),
            (125.9, 0.02, 0.0, 0.02),
        ],
        late_ms=[0.5],
    )
    record = [
        event(100.2, "connected"),
        event(100.3, "audio", dbfs=-90.0),
        event(102.05, "audio", dbfs=-20.0),
        event(102.5, "video", bytes=20_000),
        event(103.06, "audio", dbfs=-30.0),
        event(103.08, "audio", dbfs=-80.0),
        event(104.0, "audio_sent", s=0.04, first_s=None, last_s=None),
        event(104.0, "audio_sent", s=2.0, first_s=0.01, last_s=1.96),
        event(104.1, "audio_out"),
        event(109.06, "audio", dbfs=-30.0),
        event(121.9, "audio_sent", s=2.0, first_s=0.0, last_s=2.0),
        event(123.55, "audio", dbfs=-30.0),
        event(123.65, "interrupted"),
    ]
    return call, record


def test_latency_is_told_apart_from_the_models_own_time():
    call, record = conversation()
    seen = figures([call], record)
    assert seen.uplink == [pytest.approx(60)]
    # Its speech begins 50 ms into what was sent at 104.0, and is heard at 104.11.
    assert seen.downlink == [pytest.approx(60)]
    assert seen.added == [pytest.approx(120)]
    # Heard from 104.11 to 106.10, sent from 0.05 to 2.0.
    assert seen.gaps == [pytest.approx(40)]


def test_a_question_without_an_answer_is_lost():
    call, record = conversation()
    assert figures([call], record).lost == 1


def test_barge_in_ends_with_the_last_sound():
    call, record = conversation()
    seen = figures([call], record)
    assert seen.barge_in == [pytest.approx(200)]
    assert seen.barge_in_model == [pytest.approx(100)]


def test_start_and_frames():
    call, record = conversation()
    seen = figures([call], record)
    assert seen.start == [pytest.approx(300)]
    assert seen.frames == [pytest.approx(2)]
    assert seen.frame_bytes == [20_000]


def test_only_turns_after_the_loss_count_where_those_are_meant():
    call, record = conversation()
    call.questions[0] = replace(call.questions[0], since_loss_s=1.0)
    assert figures([call], record, since_loss_s=(0, 5)).added == [pytest.approx(120)]
    assert figures([call], record, since_loss_s=(5, 99)).added == []


def test_each_caller_has_a_session_of_its_own():
    call, record = conversation()
    other = replace(call, offer_s=100.25)
    with pytest.raises(UnmatchedError, match="call 2 has 0 sessions"):
        figures([call, other], record)
    second = [event(e["t"] + 0.1, e["event"], "s2") for e in record[:1]]
    second += [{**e, "session": "s2"} for e in record[1:]]
    assert len(figures([call, other], record + second).added) == 2


def test_a_call_survives_being_written_down():
    call, _ = conversation()
    assert Call.read(json.loads(json.dumps(call.as_dict()))) == call


# --- the table ----------------------------------------------------------------------------------


def row() -> Row:
    seen = Figures(
        added=[float(value) for value in range(101)],
        uplink=[10.0],
        downlink=[20.0],
        lost=3,
        barge_in=[250.0],
        barge_in_model=[160.0],
        start=[300.0],
        gaps=[-0.2],
        frames=[58.0],
        frame_bytes=[21_000.0],
        late=[0.4],
    )
    return Row(
        system="Salon",
        sessions=2,
        camera=True,
        line="clean",
        figures=seen,
        cpu_s=[9.04, 9.06],
        memory_mb=[31.25],
        lag_ms=[1.0, 2.0, 40.0],
        others_cores=[0.1, 0.3],
    )


def test_the_table_is_what_the_figures_say():
    *_, line = table([row()]).splitlines()
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert (
        cells
        == (
            "Salon 2 camera clean 101 3 50 95 50 10 10 20 20 250 250 90 90 300 300 0 0 58 21 9.1 31.2 36 40 0 0.2"
        ).split()
    )


def test_every_line_of_the_table_has_every_column():
    empty = Row(system="floor", sessions=1, camera=False, line="clean")
    assert len({line.count("|") for line in table([row(), empty]).splitlines()}) == 1


def test_what_came_to_nothing_is_told():
    broken = replace(row(), failed=["it does not start"])
    text = page([broken], [], machine="Measured here.")
    assert "- Salon, 2 sessions, camera, clean: it does not start" in text
    assert "it does not start" not in page([row()], [], machine="Measured here.")


def test_the_page_begins_with_the_targets():
    text = page([row()], targets([row()], {}), machine="Measured here.")
    assert text.index("stock Pipecat") < text.index("Salon | 2 | camera")
