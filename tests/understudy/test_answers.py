from collections import Counter

import pytest

from understudy import answers
from understudy.context import Context
from understudy.facts import Heard, Seen
from understudy.memory import Gathered, Memory
from understudy.profiles import PROFILES, profile_for
from understudy.usage import Usage, text_tokens


def heard(speech_s=2.4, level_dbfs=-23.4, end_s=3.0):
    return Heard(0.0, end_s, speech_s, level_dbfs)


def seen(*colours, source="", brightness=120):
    return Seen(source, 640, 480, brightness, colours)


@pytest.mark.parametrize(
    ("level", "words"), [(-50, "quietly"), (-23, "at a normal level"), (-8, "loudly")]
)
def test_loudness_in_words(level, words):
    answer = answers.spoken(heard(level_dbfs=level), Gathered())
    assert answer.text == f"You spoke for 2.4 seconds, {words}, minus {-level} decibels."


def test_transcripts_are_what_was_heard():
    assert answers.transcript(heard()) == "[2.4 seconds of speech, -23 dBFS]"
    assert answers.transcript(heard(0.0, -61)) == "[3.0 seconds without speech, -61 dBFS]"


def test_colours_in_words():
    assert answers.describe_seen(seen(("red", 0.9))) == "640 by 480 pixels, mostly red"
    two = seen(("red", 0.5), ("blue", 0.5), brightness=20)
    assert answers.describe_seen(two) == "640 by 480 pixels, dark, red and blue"
    three = seen(("red", 0.4), ("blue", 0.3), ("grey", 0.2), brightness=250)
    assert answers.describe_seen(three) == "640 by 480 pixels, bright, red, blue and grey"


def test_frames_of_a_nameless_source():
    gathered = Gathered(Counter({"": 2}), {"": seen(("grey", 1.0))})
    answer = answers.spoken(heard(), gathered)
    assert answer.text.endswith("I saw 2 video frames, 640 by 480 pixels, mostly grey.")


@pytest.mark.parametrize("text", ["count to 0", "count to 101", "count to 999999", "count to"])
def test_counting_has_limits(text):
    assert answers.written(text, Gathered(), Memory()).why == "text"


def test_counting():
    answer = answers.written("Please Count to 4!", Gathered(), Memory())
    assert (answer.text, answer.why) == ("1, 2, 3, 4.", "count")


@pytest.mark.parametrize("text", ["What do you see?", "which COLOUR", "is my screen on", "camera"])
def test_questions_about_pictures(text):
    latest = {"camera": seen(("red", 1.0)), "upload": seen(("blue", 1.0))}
    memory = Memory(context=Context().note(seen=latest))
    answer = answers.written(text, Gathered(), memory)
    assert answer.why == "question"
    assert "last camera frame" in answer.text
    assert "last uploaded picture" in answer.text


def test_words_that_only_contain_such_a_word_are_no_question():
    assert answers.written("seesaw", Gathered(), Memory()).why == "text"


def test_recollection():
    memory = Memory(turns=2, context=Context().note(heard=heard()))
    answer = answers.written("what do you remember?", Gathered(), memory)
    assert answer.text == "I have answered you 2 times. You last spoke for 2.4 seconds."


def test_long_texts_are_quoted_in_part():
    answer = answers.written("x" * 500, Gathered(), Memory())
    assert len(answer.text) < 160


def test_every_model_has_one_profile():
    models = [model for profile in PROFILES.values() for model in profile.models]
    assert len(models) == len(set(models))
    assert all(profile_for(model) for model in models)
    assert profile_for("gemini-9") is None


def test_usage():
    usage = Usage().add(text=text_tokens("x" * 9), audio=50).add(image=258)
    assert usage.metadata(63) == {
        "promptTokenCount": 311,
        "responseTokenCount": 63,
        "totalTokenCount": 374,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 3},
            {"modality": "AUDIO", "tokenCount": 50},
            {"modality": "IMAGE", "tokenCount": 258},
        ],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 63}],
    }
