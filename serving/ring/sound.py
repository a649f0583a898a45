"""What is said from a file, and what is heard of a call: played, and kept."""

import asyncio
import contextlib
import io
import shutil
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import soxr

from understudy.daily.phone import PhoneCall

LINE_HZ = 8_000
"""The rate of a telephone."""


class SoundError(Exception):
    """A file can't be read; the message is one sentence for the user."""


def read_wav(path: Path) -> np.ndarray:
    """What is in a WAV file, as int16 at the telephone's rate.

    Raises:
        SoundError: When it is none, or not of 16-bit samples.
    """
    try:
        with wave.open(str(path)) as file:
            if file.getsampwidth() != 2:
                raise SoundError(
                    f"{path} has samples of {8 * file.getsampwidth()} bits; 16 are read."
                )
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            mono = samples.reshape(-1, file.getnchannels())[:, 0]
            return soxr.resample(mono, file.getframerate(), LINE_HZ)
    except (OSError, EOFError, wave.Error) as error:
        raise SoundError(f"{path} can't be read as a WAV file ({error}).") from None


@contextlib.asynccontextmanager
async def playing(call: PhoneCall) -> AsyncIterator[None]:
    """Plays what is heard, where this machine has ALSA's or SoX's player."""
    players = {
        "aplay": ["-q", "-t", "raw", "-f", "S16_LE", "-r", str(LINE_HZ), "-c", "1", "-"],
        "play": ["-q", "-t", "raw", "-e", "signed", "-b", "16", "-r", str(LINE_HZ), "-c", "1", "-"],
    }
    program = next((name for name in players if shutil.which(name)), None)
    if program is None:
        yield
        return
    process = await asyncio.create_subprocess_exec(
        program,
        *players[program],
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    task = asyncio.create_task(_play(call, process))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _play(call: PhoneCall, process: asyncio.subprocess.Process) -> None:
    played = 0
    assert process.stdin

    def is_more() -> bool:
        return len(call.heard) > played

    while True:
        await call.until(is_more, within_s=86_400)
        pieces = call.heard[played:]
        played += len(pieces)
        process.stdin.write(b"".join(piece.tobytes() for _, piece in pieces))
        await process.stdin.drain()


def keep(call: PhoneCall, path: Path) -> None:
    """Keeps what was heard, with the silence in between."""
    if not call.heard:
        print("Nothing was heard.")
        return
    sound = np.zeros(0, np.int16)
    start_s = call.heard[0][0]
    for at_s, piece in call.heard:
        missing = round((at_s - start_s) * LINE_HZ) - sound.size
        sound = np.concatenate((sound, np.zeros(max(missing, 0), np.int16), piece))
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(LINE_HZ)
        file.writeframes(sound.tobytes())
    path.write_bytes(kept.getvalue())
    print(f"What was heard is in {path}.")
