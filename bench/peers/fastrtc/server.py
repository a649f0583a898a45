"""FastRTC as its published Gemini demos use it, but that the SDK's newer methods are called.

`gemini_audio_video` with a camera, `talk_to_gemini` without.
"""

import argparse
import asyncio
import io
import os
import sys
import time
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from fastrtc import AsyncAudioVideoStreamHandler, AsyncStreamHandler, Stream, wait_for_item
from google import genai
from google.genai import types
from PIL import Image

sys.path.append(str(Path(__file__).parents[1]))
from loopback import use_loopback_only

MODEL = "gemini-3.8-live"
INPUT_RATE_HZ, OUTPUT_RATE_HZ = 16_000, 24_000
SESSIONS = 32


class _Talking:
    """What both handlers do with sound."""

    def __init__(self) -> None:
        super().__init__("mono", output_sample_rate=OUTPUT_RATE_HZ, input_sample_rate=INPUT_RATE_HZ)
        self.answers: asyncio.Queue[np.ndarray] = asyncio.Queue()
        self.session = None
        self.quit = asyncio.Event()

    def copy(self):
        return type(self)()

    async def start_up(self) -> None:
        config = types.LiveConnectConfig(response_modalities=[types.Modality.AUDIO])
        async with genai.Client().aio.live.connect(model=MODEL, config=config) as session:
            self.session = session
            while not self.quit.is_set():
                async for message in session.receive():
                    if message.data:
                        samples = np.frombuffer(message.data, np.int16).reshape(1, -1)
                        self.answers.put_nowait(samples)

    async def receive(self, frame: tuple[int, np.ndarray]) -> None:
        if self.session:
            data = frame[1].squeeze().tobytes()
            blob = types.Blob(data=data, mime_type=f"audio/pcm;rate={INPUT_RATE_HZ}")
            await self.session.send_realtime_input(audio=blob)

    async def emit(self):
        samples = await wait_for_item(self.answers, 0.01)
        return None if samples is None else (OUTPUT_RATE_HZ, samples)

    async def shutdown(self) -> None:
        if self.session:
            self.quit.set()
            await self.session.close()


class Voice(_Talking, AsyncStreamHandler):
    """Sound only."""


class VoiceAndCamera(_Talking, AsyncAudioVideoStreamHandler):
    """Sound, a picture a second to the model, and every picture back to the caller."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: asyncio.Queue[np.ndarray] = asyncio.Queue()
        self.shown_s = 0.0

    async def video_receive(self, frame: np.ndarray) -> None:
        """Takes a picture."""
        self.pictures.put_nowait(frame)
        if self.session and time.time() - self.shown_s > 1:
            self.shown_s = time.time()
            with io.BytesIO() as file:
                Image.fromarray(frame).save(file, "JPEG")
                blob = types.Blob(data=file.getvalue(), mime_type="image/jpeg")
            await self.session.send_realtime_input(video=blob)

    async def video_emit(self) -> np.ndarray:
        """Gives the picture that goes back."""
        picture = await wait_for_item(self.pictures, 0.01)
        return np.zeros((100, 100, 3), np.uint8) if picture is None else picture


def main() -> None:
    """Serves until it is told to end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    has_camera = bool(os.environ.get("BENCH_CAMERA"))
    use_loopback_only()
    stream = Stream(
        handler=VoiceAndCamera() if has_camera else Voice(),
        modality="audio-video" if has_camera else "audio",
        mode="send-receive",
        concurrency_limit=SESSIONS,
        rtc_configuration={"iceServers": []},
        server_rtc_configuration={"iceServers": []},
    )
    app = FastAPI()
    stream.mount(app)
    uvicorn.run(app, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
