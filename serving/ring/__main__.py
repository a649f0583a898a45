"""`make call`: rings an offline server of this machine, as a telephone would.

What is typed is spoken, or what is in a WAV file; what the bot says is written, played where this
machine has a player for it, and can be kept. The call goes through the stand-in for Daily that the
server brings along offline: a signed webhook, a room with a SIP address, the sound of a telephone.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import numpy as np

from pipeline.announcements import Words
from pipeline.local_voice import VoiceError, speech
from pipeline.settings import SettingsError, load_settings
from serving.offline import RING
from serving.ring.sound import LINE_HZ, SoundError, keep, playing, read_wav
from serving.ring.telling import told
from serving.run_folder import run_folder
from understudy.daily.phone import Phone, PhoneCall

VOICE = "en-us+f3"
QUIET_S = 2.0
"""How long the bot is silent before it is taken to have finished."""
ANSWER_S = 20.0
"""How long the bot may take to begin."""
HELP = "Type what you say. /press 12# presses keys, /hang-up (or Ctrl-D) hangs up."


class RingError(Exception):
    """It can't ring; the message is one sentence for the user."""


def main() -> int:
    """Returns the exit status: 0, or 2 when it could not ring."""
    parser = argparse.ArgumentParser(prog="make call", description=__doc__)
    parser.add_argument("--port", type=int, default=7860, help="where the server listens")
    parser.add_argument("--to", metavar="NUMBER", help="another number than the server's own")
    parser.add_argument("--caller", default="+15550199", metavar="NUMBER", help="who calls")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="say this, and hang up")
    parser.add_argument("--heard", type=Path, metavar="FILE", help="keep what was heard, as WAV")
    args = parser.parse_args()
    try:
        asyncio.run(_call(args))
    except KeyboardInterrupt:
        return 0
    except (RingError, SoundError, SettingsError) as error:
        print(f"make call: {error}", file=sys.stderr)
        return 2
    return 0


async def _call(args: argparse.Namespace) -> None:
    said = read_wav(args.wav) if args.wav else None
    line = _line(args.port)
    number = args.to or line["number"]
    print(f"Ringing {number} ...", flush=True)
    try:
        call = await Phone(line["url"]).dial(number, caller=args.caller)
    except (OSError, aiohttp.ClientError):
        raise RingError(_nobody(args.port)) from None
    began_s = time.monotonic()
    async with call, playing(call), told(call, began_s):
        try:
            await call.until(lambda: call.state in ("connected", "ended"), within_s=90)
            if call.state == "connected":
                await (_say_and_hang_up(call, said) if said is not None else _talk(call))
        finally:
            if args.heard:
                keep(call, args.heard)
    for sentence in call.told:
        print(f"(Daily says: {sentence})")
    print(f"The call is over{f': {call.why}' if call.why else ''}.")


def _line(port: int) -> dict[str, str]:
    path = run_folder(load_settings(), port) / RING
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        raise RingError(_nobody(port)) from None


def _nobody(port: int) -> str:
    return (
        f"no server can be rung at port {port}: start one offline, with `make run` where no "
        "GOOGLE_API_KEY is set, or with `make run ARGS=--offline`."
    )


async def _say_and_hang_up(call: PhoneCall, said: np.ndarray) -> None:
    await _finished(call)
    call.say(said, LINE_HZ)
    await call.said()
    heard = len(call.heard)
    with contextlib.suppress(TimeoutError):
        await call.until(
            lambda: len(call.heard) > heard or call.state == "ended", within_s=ANSWER_S
        )
    await _finished(call)


async def _finished(call: PhoneCall) -> None:
    """Waits until the bot has said something and is silent."""
    with contextlib.suppress(TimeoutError):
        await call.until(lambda: call.heard or call.state == "ended", within_s=ANSWER_S)
    while call.state == "connected" and call.heard:
        silent_s = time.monotonic() - call.heard[-1][0]
        if silent_s >= QUIET_S:
            return
        await asyncio.sleep(QUIET_S - silent_s)


async def _talk(call: PhoneCall) -> None:
    print(HELP, flush=True)
    lines = _typed()
    over = asyncio.ensure_future(call.until(lambda: call.state == "ended", within_s=86_400))
    try:
        while True:
            line = asyncio.ensure_future(anext(lines, None))
            await asyncio.wait({line, over}, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                line.cancel()
                return
            match (line.result() or "/hang-up").split(maxsplit=1):
                case ["/hang-up"]:
                    return
                case ["/press", keys] if set(keys) <= set("0123456789*#"):
                    call.press(keys)
                case ["/press", *_]:
                    print("Keys are 0 to 9, * and #, as in /press 12#.")
                case [command, *_] if command.startswith("/"):
                    print(HELP)
                case _:
                    await _speak(call, line.result() or "")
    finally:
        over.cancel()


async def _typed() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode(errors="replace"):
        if line.strip():
            yield line.strip()


async def _speak(call: PhoneCall, text: str) -> None:
    try:
        words = Words(text=text, voice=VOICE)
        said = await asyncio.to_thread(speech, words, rate_hz=LINE_HZ)
    except VoiceError as error:
        print(error)
    else:
        call.say(np.frombuffer(said, np.int16), LINE_HZ)


if __name__ == "__main__":
    sys.exit(main())
