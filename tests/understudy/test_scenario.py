"""Scenario files: what is said, what breaks, and what is said about nonsense."""

from pathlib import Path

import pytest
import yaml

from tests.understudy.stage import Stage
from tests.understudy.support import silence, speech, user
from understudy import ScenarioError, Understudy
from understudy.scenario import Scenario, load_scenario, read_scenario

PAGE = Path(__file__).parents[2] / "understudy" / "SCENARIOS.md"


def scenario(text: str) -> Scenario:
    return read_scenario(yaml.safe_load(text))


def stage(text: str) -> Stage:
    plan = scenario(text)
    return Stage(*plan.rules, scenario=plan).set_up()


def test_answers_by_turn_and_by_words():
    client = stage("""
        answers:
          - {turn: 1, say: Good morning.}
          - {contains: [weather, RAIN], say: It will rain.}
    """)
    said = []
    for text in ("Hello", "How is the Weather?", "No rain?", "And you?"):
        client.type(text)
        client.wait(20)
        said.append(client.said())
    assert said[0] == "Good morning."
    answers = [note["text"] for note in client.noted("answer")]
    assert answers == ["Good morning.", "It will rain.", "It will rain.", "You typed: And you?"]
    assert [note["why"] for note in client.noted("answer")][:3] == ["scenario"] * 3


def test_answers_to_speech_and_to_content():
    client = stage("answers: [{turn: 1, say: I heard you.}, {contains: word, say: I read you.}]")
    client.hear(silence(0.3))
    client.hear(speech())
    client.hear(silence(0.8))
    client.wait(20)
    client.content(user("a word"))
    client.wait(20)
    assert [n["text"] for n in client.noted("answer")] == ["I heard you.", "I read you."]


def test_answers_to_what_a_function_returned():
    plan = scenario("""
        answers:
          - {say: The light is on., returned: turn_on_light}
          - {say: Take an umbrella., returned: [get_weather, get_time], contains: rain}
          - {say: You wrote rain., contains: rain}
    """)
    declarations = [{"name": name} for name in ("get_weather", "turn_on_light")]
    client = Stage(scenario=plan).set_up(tools=[{"functionDeclarations": declarations}])
    for name, result in (
        ("get_weather", "rain"),
        ("get_weather", "sun"),
        ("turn_on_light", "rain"),
    ):
        client.type(name)
        client.wait(5)
        call = client.messages("toolCall")[-1]["functionCalls"][0]
        response = {"id": call["id"], "name": name, "response": {"result": result}}
        client.say(toolResponse={"functionResponses": [response]})
        client.wait(20)
    assert [(note["text"], note["why"]) for note in client.noted("answer")] == [
        ("Take an umbrella.", "scenario"),
        ("get_weather returned sun.", "tool"),
        ("The light is on.", "scenario"),
    ]


def test_calls_that_no_user_types():
    plan = scenario("""
        answers:
          - {call: get_weather for Paris, contains: [umbrella]}
          - {call: end_call, turn: 3}
          - {say: Take one., returned: get_weather}
    """)
    declarations = [{"name": "get_weather"}, {"name": "end_call"}]
    client = Stage(scenario=plan).set_up(tools=[{"functionDeclarations": declarations}])
    client.type("Shall I take an umbrella?")
    client.wait(5)
    (call,) = client.messages("toolCall")[-1]["functionCalls"]
    response = {"id": call["id"], "name": call["name"], "response": {"result": "rain"}}
    client.say(toolResponse={"functionResponses": [response]})
    client.wait(20)
    client.type("Thank you.")
    client.wait(20)
    client.hear(silence(0.3))
    client.hear(speech())
    client.hear(silence(0.8))
    client.wait(5)
    names = [one["functionCalls"][0]["name"] for one in client.messages("toolCall")]
    assert names == ["get_weather", "end_call"]
    said = [note["text"] for note in client.noted("answer")]
    assert said == ["Take one.", "You typed: Thank you."]


def test_faults_of_a_file():
    client = stage("""
        faults:
          - fault: unavailable
            at: speaking
            after_ms: 400
            turn: 2
            with: {reason: On holiday.}
    """)
    for _ in range(2):
        assert not client.closed
        client.type("Good morning, how are you?")
        client.wait(20)
    assert client.closed == (1011, "On holiday.")


def test_the_example_of_the_page_is_a_scenario():
    example = PAGE.read_text().split("```yaml\n")[1].split("```")[0]
    plan = scenario(example)
    assert len(plan.lines) == 4
    assert plan.lines[2].returned == ("get_weather",)
    assert plan.lines[3].call == "transfer_call to=help"
    assert [rule.name for rule in plan.rules] == ["refuse-503", "unavailable"]
    assert plan.rules[1].describe()["moment"]["after_ms"] == 800


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("faults: [", "x.yaml line 1: this is no YAML: "),
        ("- a", "x.yaml: a scenario: write it as 'key: value'; it has answers, faults"),
        ("fault: []", "x.yaml: a scenario: there is no 'fault' here; it has answers, faults"),
        ("answers: hello", "x.yaml: answers has to be a list: begin each entry with '- '"),
        ("answers: [{turn: 1}]", "x.yaml: answers, entry 1: say has to be the words to say"),
        ("answers: [{say: a, turn: x}]", "x.yaml: answers, entry 1: turn has to be a whole"),
        ("answers: [{say: a, returned: 3}]", "x.yaml: answers, entry 1: returned has to be a"),
        ("answers: [{say: a, contains: 3}]", "x.yaml: answers, entry 1: contains has to be a"),
        ("faults: [rst, {fault: quotta}]", "x.yaml: faults, entry 2: there is no fault 'quotta'"),
        ("faults: [{fault: rst, when: now}]", "x.yaml: faults, entry 1: there is no 'when' here"),
        ("faults: [{fault: close, with: 3}]", "x.yaml: faults, entry 1: with has to hold"),
        ("faults: [{fault: close, times: -1}]", "x.yaml: faults, entry 1: fault close: times has"),
        ("faults: [3]", "x.yaml: faults, entry 1: write it as 'key: value'"),
    ],
)
def test_nonsense_is_answered_in_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_a_scenario_in_which_nothing_happens(tmp_path):
    (tmp_path / "x.yaml").write_text("")
    assert load_scenario(tmp_path / "x.yaml") == Scenario()


def test_an_understudy_takes_a_file(tmp_path):
    (tmp_path / "x.yaml").write_text("faults: [nonsense]")
    with pytest.raises(ScenarioError, match="there is no fault 'nonsense'"):
        Understudy(scenario=tmp_path / "x.yaml")
