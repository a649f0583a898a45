"""A client without a network, and things for it to say and show."""

from __future__ import annotations

import base64
import io
import itertools
import json
from functools import cache
from typing import Any, Self

import numpy as np
import soxr
from PIL import Image

from understudy.effects import Close, Effect, Look, Note, Result, Send, Speak, Work
from understudy.espeak import speak
from understudy.memory import ResumptionStore
from understudy.seeing import look
from understudy.session import Session
from understudy.wire import parse

RATE_HZ = 16_000
MODEL_3_1 = "gemini-3.1-flash-live-preview"
MODEL_2_5 = "gemini-2.5-flash-native-audio-preview-12-2025"


class Client:
    """Talks to a `Session` on a clock of its own; work is done at once, speech is silence.

    Attributes:
        now_s: The clock.
        sent: Everything the session has sent, with the time: (seconds, message).
        notes: Everything it has recorded: (event, fields).
        closed: The close code and reason, once there is one.
    """

    def __init__(self, store: ResumptionStore | None = None, **options: Any) -> None:
        ids = (f"handle-{number}" for number in itertools.count(1))
        self.now_s = 100.0
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.closed: tuple[int, str] | None = None
        self.holds_work = False
        self._work: list[Work] = []
        options = {"new_id": lambda: next(ids), **options}
        self._session = Session(store=store or ResumptionStore(), **options)

    def set_up(self, model: str = "gemini-3.8-live", **fields: Any) -> Self:
        self.say(setup={"model": f"models/{model}", "outputAudioTranscription": {}, **fields})
        return self

    def say(self, **message: Any) -> None:
        for part in parse(json.dumps(message)):
            self._do(self._session.receive(part, self.now_s))

    def realtime(self, **fields: Any) -> None:
        self.say(realtimeInput=fields)

    def type(self, text: str) -> None:
        self.realtime(text=text)

    def content(self, *turns: dict[str, Any], complete: bool = True) -> None:
        self.say(clientContent={"turns": list(turns), "turnComplete": complete})

    def hear(self, samples: np.ndarray, *, chunk_s: float = 0.02, rate_hz: int = RATE_HZ) -> None:
        """Sends audio in real time, that is while the clock moves on."""
        step = round(chunk_s * rate_hz)
        for start in range(0, len(samples), step):
            self.realtime(audio=pcm_blob(samples[start : start + step], rate_hz))
            self.wait(chunk_s)

    def show(self, picture: bytes, mime_type: str = "image/jpeg") -> None:
        self.realtime(video={"data": encode(picture), "mimeType": mime_type})

    def wait(self, seconds: float) -> None:
        """Moves the clock, stopping wherever the session wants to be called."""
        end_s = self.now_s + seconds
        while (due_s := self._session.next_due_s) is not None and due_s <= end_s:
            self.now_s = max(self.now_s, due_s)
            self._do(self._session.tick(self.now_s))
        self.now_s = end_s

    def do_work(self) -> None:
        """Does the work that was held back."""
        self.holds_work = False
        work, self._work = self._work, []
        for item in work:
            self._finish(item)

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(message):
                    self.sent.append((self.now_s, dict(message)))
                case Note(event, fields):
                    self.notes.append((event, dict(fields)))
                case Close(code, reason):
                    self.closed = (code, reason)
                case Work():
                    if self.holds_work:
                        self._work.append(effect)
                    else:
                        self._finish(effect)

    def _finish(self, work: Work) -> None:
        result: Result
        match work.job:
            case Look(data):
                result = look(data)
            case Speak(text, _):
                result = bytes(len(text) // 16 * 48_000)  # 16 characters a second
        self._do(self._session.finish(work.ticket, result, self.now_s))

    # What came back

    def messages(self, key: str) -> list[Any]:
        """All messages with a top-level field, as its values."""
        return [message[key] for _, message in self.sent if key in message]

    def content_fields(self) -> list[str]:
        """The order of what serverContent carried."""
        return [field for content in self.messages("serverContent") for field in content]

    def said(self) -> str:
        """The output transcript since the last turnComplete but one."""
        pieces: list[str] = []
        complete = False
        for content in self.messages("serverContent"):
            if complete and "outputTranscription" in content:
                pieces, complete = [], False
            pieces.append(content.get("outputTranscription", {}).get("text", ""))
            complete = complete or "turnComplete" in content
        return "".join(pieces).strip()

    def noted(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.notes if name == event]

    def times(self, field: str) -> list[float]:
        return [t for t, message in self.sent if field in message.get("serverContent", {})]


def user(text: str = "", *pictures: bytes) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": text}] if text else []
    parts += [{"inlineData": {"data": encode(p), "mimeType": "image/jpeg"}} for p in pictures]
    return {"role": "user", "parts": parts}


def model(text: str) -> dict[str, Any]:
    return {"role": "model", "parts": [{"text": text}]}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def pcm_blob(samples: np.ndarray, rate_hz: int = RATE_HZ) -> dict[str, str]:
    data = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return {"data": encode(data), "mimeType": f"audio/pcm;rate={rate_hz}"}


@cache
def _spoken(text: str) -> np.ndarray:
    pcm = np.frombuffer(speak(text, voices=("en-us",), pitch=50), np.int16)
    samples = soxr.resample(pcm.astype(np.float32) / 32768, 24_000, RATE_HZ)
    return samples / np.sqrt(np.mean(samples**2))


def speech(text: str = "Hello, my name is Marcelo.", *, dbfs: float = -23.0) -> np.ndarray:
    """A sentence at 16 kHz, as floats, at an RMS level."""
    return _spoken(text) * 10 ** (dbfs / 20)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def noise(seconds: float, *, dbfs: float, colour: str = "white") -> np.ndarray:
    """White or pink noise, mains hum, or clicks, at an RMS level."""
    random = np.random.default_rng(7)
    count = round(seconds * RATE_HZ)
    samples = random.standard_normal(count)
    if colour == "pink":
        spectrum = np.fft.rfft(samples)
        samples = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)
    elif colour == "hum":
        time = np.arange(count) / RATE_HZ
        samples = sum((np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 5, 7)), start=0)
    elif colour == "clicks":
        samples = samples * np.exp(-(np.arange(count) % 4000) / 80)
    return samples / np.sqrt(np.mean(np.square(samples))) * 10 ** (dbfs / 20)


def picture(
    colour: str | tuple[int, int, int] = "red",
    *,
    size: tuple[int, int] = (640, 480),
    source: str | None = None,
    kind: str = "JPEG",
) -> bytes:
    """A picture of one colour."""
    return save(Image.new("RGB", size, colour), source=source, kind=kind)


def save(image: Image.Image, *, source: str | None = None, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    options = {"comment": f"source={source}".encode()} if source else {}
    image.save(file, kind, **options)
    return file.getvalue()
