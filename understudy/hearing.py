"""Ears: tells when somebody speaks in a PCM stream, for how long and how loudly.

Pure: samples in, events out. Time is counted in samples, so audio may come in any chunks and at
any speed. The detector is WebRTC's, with three guards of our own against what it takes for speech
although it is not: a tracked noise floor, a test for steadiness (hiss and hum keep their level,
speech does not), and a least duration (coughs, knocks and clicks). Together they take 0.5 ms of
CPU per second of audio in 20 ms messages; Silero takes 9.7 (ONNX) to 95 (ggml), and one process
must hold 250 sessions. What Silero would still do better: music is taken for speech.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import soxr
import webrtcvad

from understudy.facts import Heard

RATE_HZ = 16_000
FRAME_MS = 20
_FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
_FRAME_S = FRAME_MS / 1000
_RUMBLE_SAMPLES = 40
_ONES = np.ones(_RUMBLE_SAMPLES, np.float32)
_SILENCE_DBFS = -90.0
_FLOOR_BUCKET_FRAMES = 12
_FLOOR_BUCKETS = 8
"""The noise floor is the lowest level of the last 8 x 12 frames (1.9 s): shorter and long vowels
would count as noise, longer and a fan that starts would count as speech for that much longer."""
_INITIAL_FLOOR_DBFS = -65.0
_STEADY_DB = 1.5
"""Standard deviation of the frame levels below which a sound is steady. Measured on 160 ms: white
noise up to 0.6 dB, pink noise up to 1.1, mains hum 0; the beginning of "Oh" 2.1, of other
utterances 2.6 to 12."""
MIN_SPEECH_MS = 160
"""A cough, a knock or a key press does not interrupt the real service; neither here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDetection:
    """The setup's realtimeInputConfig.automaticActivityDetection.

    Attributes:
        disabled: The client marks activity itself.
        start_is_low: START_SENSITIVITY_LOW: speech must be clearer and longer to count.
        end_is_low: END_SENSITIVITY_LOW: the speaker is given longer pauses.
        prefix_padding_ms: Speech that must be heard before it counts, if longer than our own
            least; the vendor's examples have 20 ms.
        silence_duration_ms: Silence that ends the speech. None: 500 ms, or 800 ms at low
            sensitivity (the service's own figures are not published).
    """

    disabled: bool = False
    start_is_low: bool = False
    end_is_low: bool = False
    prefix_padding_ms: int = 20
    silence_duration_ms: int | None = None

    @property
    def start_frames(self) -> int:
        """Frames of speech within the onset window that begin an activity."""
        least_ms = MIN_SPEECH_MS * (1.5 if self.start_is_low else 1)
        return math.ceil(min(max(least_ms, self.prefix_padding_ms), 2000) / FRAME_MS)

    @property
    def end_frames(self) -> int:
        """Frames of silence that end an activity."""
        chosen = self.silence_duration_ms
        wanted_ms = chosen if chosen is not None else (800 if self.end_is_low else 500)
        return math.ceil(min(max(wanted_ms, 100), 10_000) / FRAME_MS)

    @property
    def margin_db(self) -> float:
        """How far speech must stand above the noise floor."""
        return 9.0 if self.start_is_low else 6.0


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak `offset_s` into the stream."""

    offset_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """They have finished."""

    heard: Heard


HearingEvent = SpeechStarted | SpeechEnded


def level_dbfs(pcm: bytes) -> float:
    """Returns the RMS level of 16-bit PCM relative to full scale; -90 for silence."""
    samples = np.frombuffer(pcm[: len(pcm) & ~1], np.int16).astype(np.float32)
    return _level_dbfs(float(samples.dot(samples)), samples.size)


def _level_dbfs(energy: float, samples: int) -> float:
    """Returns the level of samples whose squares sum up to `energy`, full scale being 32768."""
    power = energy / (max(samples, 1) * 32768.0**2)
    return max(10.0 * math.log10(max(power, 1e-12)), _SILENCE_DBFS)


def _energies(frame: np.ndarray) -> tuple[float, float]:
    """Returns a frame's energy, and that without what is below 200 Hz.

    Rumble, mains hum and the low end of pink noise swing in level as speech does. Taking the mean
    m off every n = 40 samples (2.5 ms) leaves sum(x**2) - n * m**2 of their energy.
    """
    samples = frame.astype(np.float32)
    energy = float(samples.dot(samples))
    sums = samples.reshape(-1, _RUMBLE_SAMPLES).dot(_ONES)
    return energy, energy - float(sums.dot(sums)) / _RUMBLE_SAMPLES


class _NoiseFloor:
    """The lowest level of the last two seconds."""

    def __init__(self) -> None:
        self._buckets: deque[float] = deque(maxlen=_FLOOR_BUCKETS - 1)
        self._before = math.inf
        self._now = _INITIAL_FLOOR_DBFS
        self._frames = 0

    def add(self, level: float) -> float:
        if self._frames == _FLOOR_BUCKET_FRAMES:
            self._buckets.append(self._now)
            self._before, self._now = min(self._buckets), level
            self._frames = 0
        self._now = min(self._now, level)
        self._frames += 1
        return min(self._before, self._now)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What was heard in 20 ms; `margin_db` is how far it stands above the noise floor."""

    speech: bool
    energy: float
    margin_db: float


@dataclass(slots=True)
class _Activity:
    """What is known of the activity going on."""

    start_frame: int
    first_speech: int | None = None
    last_speech: int | None = None
    speech_energy: float = 0.0
    speech_frames: int = 0
    energy: float = 0.0
    frames: int = 0

    def add(self, frame: int, energy: float, speech: bool) -> None:
        self.frames += 1
        self.energy += energy
        if speech:
            self.first_speech = frame if self.first_speech is None else self.first_speech
            self.last_speech = frame
            self.speech_frames += 1
            self.speech_energy += energy

    def heard(self, end_frame: int) -> Heard:
        speech_s = 0.0
        if self.first_speech is not None and self.last_speech is not None:
            speech_s = (self.last_speech + 1 - self.first_speech) * _FRAME_S
        counted = self.speech_frames or self.frames
        energy = self.speech_energy if self.speech_frames else self.energy
        return Heard(
            start_s=self.start_frame * _FRAME_S,
            end_s=end_frame * _FRAME_S,
            speech_s=speech_s,
            level_dbfs=_level_dbfs(energy, counted * _FRAME_SAMPLES),
        )


class Hearing:
    """Follows one audio stream.

    Args:
        detection: What the setup asked for.

    Attributes:
        rate_hz: Sample rate of the stream; None until `tune`.
    """

    def __init__(self, detection: ActivityDetection) -> None:
        self.rate_hz: int | None = None
        self._detection = detection
        self._resampler: soxr.ResampleStream | None = None
        self._vad = webrtcvad.Vad(3 if detection.start_is_low else 2)
        self._floor = _NoiseFloor()
        self._odd = b""
        self._rest = np.empty(0, np.int16)
        self._frame = 0
        self._start_frames, self._end_frames = detection.start_frames, detection.end_frames
        self._margin_db = detection.margin_db
        self._onset: deque[_Frame] = deque(maxlen=self._start_frames + 2)
        self._silent_frames = 0
        self._speech_run = 0
        self._activity: _Activity | None = None

    def tune(self, rate_hz: int) -> bool:
        """Sets the stream's sample rate; False if it already has another."""
        if self.rate_hz is None:
            self.rate_hz = rate_hz
            self._resampler = _resampler(rate_hz)
        return self.rate_hz == rate_hz

    def feed(self, pcm: bytes) -> list[HearingEvent]:
        """Hears more of the stream.

        Args:
            pcm: 16-bit little-endian mono samples at `rate_hz`. A half sample at the end waits
                for its other half.

        Returns:
            What began or ended, in order.
        """
        pcm = self._odd + pcm
        self._odd = pcm[len(pcm) & ~1 :]
        samples = np.frombuffer(pcm[: len(pcm) & ~1], np.int16)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return self._listen(samples)

    def flush(self) -> list[HearingEvent]:
        """Ends the stream as audioStreamEnd does: an activity that is going on ends here."""
        if self.rate_hz is not None:
            self._resampler = _resampler(self.rate_hz)
        self._odd, self._rest = b"", np.empty(0, np.int16)
        self._onset.clear()
        if self._detection.disabled:
            return []
        return self._end()

    def start_activity(self) -> list[HearingEvent]:
        """Begins an activity because the client says so."""
        if self._activity is not None:
            return []
        self._activity = _Activity(self._frame)
        return [SpeechStarted(self._frame * _FRAME_S)]

    def end_activity(self) -> list[HearingEvent]:
        """Ends the activity because the client says so."""
        return self._end()

    def _listen(self, samples: np.ndarray) -> list[HearingEvent]:
        if self._rest.size:
            samples = np.concatenate((self._rest, samples))
        whole = samples.size - samples.size % _FRAME_SAMPLES
        self._rest = samples[whole:]
        events: list[HearingEvent] = []
        for start in range(0, whole, _FRAME_SAMPLES):
            frame = samples[start : start + _FRAME_SAMPLES]
            energy, clear_energy = _energies(frame)
            clear_dbfs = _level_dbfs(clear_energy, _FRAME_SAMPLES)
            margin = clear_dbfs - self._floor.add(clear_dbfs)
            speech = margin > self._margin_db and self._vad.is_speech(frame.tobytes(), RATE_HZ)
            events += self._follow(energy, margin, speech)
        return events

    def _follow(self, energy: float, margin: float, speech: bool) -> list[HearingEvent]:
        frame, self._frame = self._frame, self._frame + 1
        if self._activity is not None:
            self._activity.add(frame, energy, speech)
            # One frame of speech alone is as likely a click: two in a row are a voice.
            self._speech_run = self._speech_run + 1 if speech else 0
            self._silent_frames = 0 if self._speech_run > 1 else self._silent_frames + 1
            if not self._detection.disabled and self._silent_frames >= self._end_frames:
                return self._end()
        elif not self._detection.disabled:
            self._onset.append(_Frame(speech, energy, margin))
            if speech and self._is_onset():
                return self._begin(frame)
        return []

    def _is_onset(self) -> bool:
        margins = [frame.margin_db for frame in self._onset if frame.speech]
        if len(margins) < self._start_frames:
            return False
        return float(np.std(margins)) >= _STEADY_DB

    def _begin(self, frame: int) -> list[HearingEvent]:
        first = frame + 1 - len(self._onset)
        while not self._onset[0].speech:
            self._onset.popleft()
            first += 1
        self._activity = _Activity(first)
        for number, heard in enumerate(self._onset, first):
            self._activity.add(number, heard.energy, heard.speech)
        self._onset.clear()
        self._silent_frames, self._speech_run = 0, 2
        return [SpeechStarted(first * _FRAME_S)]

    def _end(self) -> list[HearingEvent]:
        activity, self._activity = self._activity, None
        if activity is None:
            return []
        return [SpeechEnded(activity.heard(self._frame))]


def _resampler(rate_hz: int) -> soxr.ResampleStream | None:
    if rate_hz == RATE_HZ:
        return None
    return soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="int16", quality="LQ")
