import time

from tests.support.caller import Caller
from tests.support.media import Camera
from tests.support.speech import speech


async def test_a_spoken_question_with_a_moving_camera_is_answered_aloud(server):
    async with Caller(server.url, camera=Camera()) as caller:
        await caller.bot_said("understudy")
        await caller.ear.hears_silence(seconds=1)

        asked_s = caller.microphone.say(speech("Hello, can you tell me what you see?"))
        async_began = time.monotonic()
        await caller.ear.hears_voice(seconds=1.5, since=async_began + asked_s)
        await caller.bot_said("seconds")
        await caller.ear.hears_silence(seconds=1)
    print(caller.transcript())
