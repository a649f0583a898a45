"""Chromium as a process of its own, which any number of tests use one after another."""

import contextlib
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.browser import WHAT_TO_DO, chromium
from tests.support.speech import speech

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--force-color-profile=srgb",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--auto-select-desktop-capture-source=Entire screen",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--disable-quic",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    "--remote-debugging-port=0",
]


@dataclass(frozen=True, kw_only=True)
class Devices:
    """A browser's fake microphone and camera, which are the same for all of its pages.

    Parameters:
        says: What the microphone says, over and over, between silences.
        pause_s: How long a silence is before it, and after it.
        refused: Whether no page gets a microphone, camera or screen.
        view: A JPEG that the camera sees all the time; without one it sees things that move.
    """

    says: str = ""
    pause_s: int = 8
    refused: bool = False
    view: bytes = b""


@contextlib.contextmanager
def running_chromium(folder: Path, devices: Devices) -> Iterator[str]:
    """Run Chromium and give the address at which Playwright's `connect_over_cdp` reaches it."""
    executable = chromium()
    assert executable, WHAT_TO_DO
    recording = folder / "microphone.wav"
    _write(recording, devices)
    answer = "=deny" if devices.refused else ""
    flags = [*FLAGS, f"--use-fake-ui-for-media-stream{answer}"]
    if devices.view:
        (folder / "camera.mjpeg").write_bytes(devices.view)
        # Its name is the camera's, which the page shows.
        flags.append("--use-file-for-fake-video-capture=camera.mjpeg")
    with (
        tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as profile,
        (folder / "chromium.log").open("wb") as log,
    ):
        process = subprocess.Popen(
            [
                executable,
                *flags,
                f"--use-file-for-fake-audio-capture={recording}",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{_port(process, Path(profile), folder / 'chromium.log')}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _write(path: Path, devices: Devices) -> None:
    silence = np.zeros(devices.pause_s * 48_000, np.int16)
    question = [speech(devices.says)] if devices.says else []
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.concatenate([silence, *question, silence]).tobytes())


def _port(process: subprocess.Popen, profile: Path, log: Path, *, within_s: float = 30) -> int:
    """The port that it chose, which it writes down when it listens."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(FileNotFoundError, IndexError):
            return int((profile / "DevToolsActivePort").read_text().split()[0])
        time.sleep(0.05)
    raise AssertionError(f"Chromium does not start; it printed:\n{log.read_text()[-3000:]}")
