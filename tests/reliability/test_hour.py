"""An hour of conversation, in a minute: the limits of sessions pass sixty times faster."""

import time

from tests.support.conversation import Talk, talk

SCALE = 60
MINUTE_S = 60 / SCALE
GO_AWAYS = (9, 18, 27, 36, 45, 54)
"""Minutes. With compression gemini-3.8-live was seen to keep a connection for 58 minutes, and others
to say goAway after nine."""
CUT = 57.5
AT_ONCE = {"at": "clock", "after_ms": 1}


async def ask(conversation: Talk, text: str) -> str:
    """Types something and returns the answer that was given, once it has been heard."""
    before, asked_s = len(conversation.events("answer")), time.monotonic()
    await conversation.type(text)
    await conversation.until(lambda: len(conversation.events("answer")) > before, within_s=10)
    heard = conversation.transport.heard
    await conversation.until(lambda: bool(heard) and heard[-1][0] > asked_s, within_s=10)
    return conversation.events("answer")[-1]["text"]


async def test_an_hour_with_six_go_aways_and_a_cut_remembers_its_first_minute(tmp_path):
    faults = ["resume-fails-after-1011"]
    async with talk(tmp_path, greeting=None, clock_scale=SCALE, faults=faults) as conversation:
        begun_s = time.monotonic()

        def minute() -> float:
            return (time.monotonic() - begun_s) / MINUTE_S

        await conversation.until(lambda: "ready" in conversation.states, within_s=15)
        await ask(conversation, "remember that my cat is called Minka")
        understudy, go_aways, is_cut = conversation.understudy, list(GO_AWAYS), False
        latencies_s = []
        while minute() < 60:
            asked_s = time.monotonic()
            await ask(conversation, "how are you")
            latencies_s.append(conversation.transport.heard[-1][0] - asked_s)
            session = conversation.events("setup")[-1]["session"]
            if go_aways and minute() > go_aways[0]:
                go_aways.pop(0)
                understudy.inject("goaway", session=session, moment=AT_ONCE)
            if minute() > CUT and not is_cut:
                is_cut = True
                understudy.inject("deadline", session=session, moment=AT_ONCE)
            await conversation.until_quiet(for_s=1.0)
        answer = await ask(conversation, "what do you remember")
        assert "Minka" in answer
        assert conversation.states.count("draining") == len(GO_AWAYS)
        assert "reseeding" in conversation.states, "after the cut the handle was no good"
        assert "failed" not in conversation.states
        users = [turn["text"] for turn in conversation.turns if turn["side"] == "user"]
        assert users.count("remember that my cat is called Minka") == 1
        half = len(latencies_s) // 2
        early, late = sorted(latencies_s[:half]), sorted(latencies_s[half:])
        print(f"median latency: {early[half // 2]:.2f} s early, {late[len(late) // 2]:.2f} s late")
