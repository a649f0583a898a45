"""Those who are called: they pick up, and what they say is spoken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from understudy.daily.dialing import CalledNumber, Does
from understudy.espeak import speak

if TYPE_CHECKING:
    from understudy.daily.phone import PhoneCall

SPEECH_HZ = 24_000
VOICEMAIL = "You have reached the voicemail of this number. Please leave a message after the tone."
_BEEP_S = 0.5
_BEEP_HZ = 1000
_PAUSE_S = 0.3


async def speak_up(call: PhoneCall, called: CalledNumber) -> None:
    """Says what is said when a call is picked up, and hangs up when it is time.

    Args:
        call: The one that was picked up.
        called: Who did.
    """
    said = called.says or (VOICEMAIL if called.does is Does.VOICEMAIL else "")
    if said:
        speech = await asyncio.to_thread(speak, said, voices=("en-us",), pitch=50)
        call.say(np.frombuffer(speech, np.int16), SPEECH_HZ)
    if called.does is Does.VOICEMAIL:
        call.say(np.zeros(round(_PAUSE_S * SPEECH_HZ), np.int16), SPEECH_HZ)
        call.say(_beep(), SPEECH_HZ)
    if called.hangs_up_after_s is not None:
        await asyncio.sleep(called.hangs_up_after_s)
        await call.hang_up()


def _beep() -> np.ndarray:
    at_s = np.arange(round(_BEEP_S * SPEECH_HZ)) / SPEECH_HZ
    return (12_000 * np.sin(2 * np.pi * _BEEP_HZ * at_s)).astype(np.int16)
