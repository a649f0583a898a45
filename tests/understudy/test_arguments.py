"""Which functions a text calls and with what, and how what they returned is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.messages import FunctionResult
from understudy.tools import (
    SCHEDULINGS,
    Function,
    arguments,
    describe,
    requested,
    scheduling,
    shortened,
)

_names = st.sampled_from(["error", "output", "result", "scheduling", *SCHEDULINGS])


def function(name: str, **parameters: Any) -> Function:
    return Function(name, True, parameters)


@pytest.mark.parametrize(
    "text", ["get_weather", "Please call GET_WEATHER.", "(get_weather)", "get_weather: Rome"]
)
def test_a_typed_name_calls(text):
    assert [c.function.name for c in requested(text, [function("get_weather")])] == ["get_weather"]


@pytest.mark.parametrize(
    "text", ["", "weather", "get_weather2", "forget_weather", "get_weather-now", "a.get_weather"]
)
def test_other_words_do_not(text):
    assert requested(text, [function("get_weather")]) == ()


def test_endless_declarations_and_words_take_no_time():
    functions = [function(f"f{number}") for number in range(100_000)]
    assert len(requested("f1 f511 f512 " + "f2 " * 1_000_000, functions)) == 3


def test_several_names_call_in_their_order_each_with_its_own_words():
    city = {"properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    found = requested(
        "b for Rome and then a in Oslo", [function("a", **city), function("b", **city)]
    )
    assert [(c.function.name, c.args["city"]) for c in found] == [
        ("b", "Rome and then"),
        ("a", "Oslo"),
    ]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "STRING"}, " for New York?", "New York"),
        ({"type": "string"}, "", "example"),
        ({"type": ["null", "string"], "default": "Rome"}, "", "Rome"),
        ({"type": "STRING", "enum": ["c", "f"]}, " f", "c"),
        ({"type": "INTEGER"}, " 12 times", 12),
        ({"type": "NUMBER"}, " 1.5", 1.5),
        ({"type": "integer", "minimum": 3}, "", 3),
        ({"type": "BOOLEAN"}, "", True),
        ({"type": "ARRAY", "items": {"type": "STRING"}}, " milk", ["milk"]),
        (
            {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]},
            "",
            {"n": 1},
        ),
        ({"properties": {}}, "", {}),
        ({}, "", "example"),
        ("nonsense", "", "example"),
    ],
)
def test_a_required_argument(schema, text, value):
    parameters = {"type": "OBJECT", "properties": {"x": schema}, "required": ["x"]}
    assert arguments(parameters, text) == {"x": value}


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("<instructions>\nget_weather\n</instructions>", "example"),
        ("<instructions>\nget_weather for Paris\n</instructions>", "Paris"),
        ("<instructions>get_weather city=Paris</instructions>", "Paris"),
        ('<ask kind="get_weather">\nget_weather in Rome<br/></ask>', "Rome"),
        ("get_weather where 1 < 2 and 3 > 2", "where 1 < 2 and 3 > 2"),
        ("get_weather for <me@example.org>", "<me@example.org>"),
    ],
)
def test_markup_around_what_is_asked_for_is_no_argument(text, city):
    parameters = {"properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    (call,) = requested(text, [function("get_weather", **parameters)])
    assert call.args == {"city": city}


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_without_end_is_cut_to_64_bits(sign):
    schema = {"properties": {"a": {"type": "INTEGER"}, "b": {"type": "NUMBER"}}}
    made = arguments(schema, f"a={sign}{'9' * 30} b={sign}{'9' * 30}")
    assert all(isinstance(number, int) and 10**15 < abs(number) < 2**63 for number in made.values())


def test_optional_arguments_are_those_that_are_named():
    properties = {
        "city": {"type": "STRING"},
        "days": {"type": "INTEGER"},
        "exact": {"type": "BOOLEAN"},
    }
    parameters = {"properties": properties, "required": ["city"]}
    assert arguments(parameters, " in Rome") == {"city": "Rome"}
    text = ' city="New York" days=3 exact=no other=1'
    assert arguments(parameters, text) == {"city": "New York", "days": 3, "exact": False}


@pytest.mark.parametrize(
    "parameters",
    [{"required": "x"}, {"required": [1]}, {"properties": []}, {"required": ["a", "a"]}, {}],
)
def test_odd_schemas_make_no_trouble(parameters):
    assert set(arguments(parameters, "")) <= {"a"}


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"result": "ok"}, "f returned ok."),
        ({"output": {"a": [1, True]}, "more": 1}, "f returned a 1, true."),
        ({"temperature": 21, "sky": "clear"}, "f returned temperature 21, sky clear."),
        ({"error": "no such city."}, "f failed: no such city."),
        ({}, "f has finished."),
    ],
)
def test_results_in_words(response, said):
    assert describe([FunctionResult("1", "f", response)]) == said


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(_names | st.text(), inner),
    ).flatmap(lambda value: st.dictionaries(_names, st.just(value)))
)
def test_a_shortened_response_says_the_same(response):
    long = FunctionResult("1", "f", response)
    short = FunctionResult("1", "f", shortened(response))
    assert describe([short]) == describe([long])
    assert scheduling(short) == scheduling(long)
    assert len(str(short.response)) < 400


def test_scheduling_may_stand_in_the_field_or_in_the_response():
    assert scheduling(FunctionResult("1")) == "WHEN_IDLE"
    assert scheduling(FunctionResult("1", scheduling="SILENT")) == "SILENT"
    assert scheduling(FunctionResult("1", response={"scheduling": "INTERRUPT"})) == "INTERRUPT"
