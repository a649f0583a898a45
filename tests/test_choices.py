"""What is chosen before a call: what there is, what it means, and what is said of anything else."""

import pytest

from pipeline.choices import Answers, ChoiceError, read_choices
from pipeline.model_offers import VOICES
from pipeline.persona import PersonaError, load_persona
from tests.access.support import settings

SERVER = settings(SALON_PERSONA="art-critic", SALON_LANGUAGE="zh-CN")


@pytest.mark.parametrize("body", [{}, {"persona": None, "answers": None, "voice": None}])
def test_what_is_not_chosen_is_as_the_server_has_it(body):
    choices = read_choices(body, SERVER)
    assert choices.persona == load_persona("art-critic")
    assert (choices.answers, choices.language) == (Answers.VOICE, "zh-CN")


def test_what_is_chosen_goes_before_what_the_persona_and_the_server_say():
    body = {"persona": "companion", "answers": "text", "voice": "Zephyr", "language": "de-DE"}
    choices = read_choices(body | {"what else": "is for others"}, SERVER)
    assert choices.persona == load_persona("companion").model_copy(update={"voice": "Zephyr"})
    assert (choices.answers, choices.language) == (Answers.TEXT, "de-DE")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"answers": "song"}, r"body\.answers must be one of: voice, text\."),
        ({"answers": ["text"]}, r"body\.answers must be one of"),
        ({"voice": "nobody"}, r"body\.voice must be one of: Achernar, .*, Zubenelgenubi\."),
        ({"voice": {}}, r"body\.voice must be one of"),
        ({"language": "English"}, r"body\.language must be one of: ar-XA, .*zh-CN\."),
        ({"language": 1}, r"body\.language must be one of"),
    ],
)
def test_anything_else_is_refused_with_what_there_is(body, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        read_choices(body, SERVER)


def test_nobody_of_that_name_is_a_matter_of_personas():
    with pytest.raises(PersonaError):
        read_choices({"persona": "nobody"}, SERVER)


@pytest.mark.parametrize("name", ["art-critic", "companion", "screen-helper"])
def test_personas_have_voices_that_there_are(name):
    assert load_persona(name).voice in VOICES
