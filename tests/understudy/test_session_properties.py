"""No sequence of messages makes a session raise: it answers, ignores or closes."""

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.understudy.support import MODEL_2_5, MODEL_3_1, Client, pcm_blob, picture, silence, user
from understudy.errors import ProtocolError
from understudy.wire import parse

THINKING = "gemini-3.8-live-extended-thinking"
WRITING = "gemini-live-2.5-flash"

_blobs = st.sampled_from(
    [
        pcm_blob(silence(0.1)),
        pcm_blob(silence(0.1), 8_000),
        {"data": "AAA", "mimeType": "audio/pcm"},
        {"data": "", "mimeType": "audio/pcm;rate=16000"},
        {"data": "AAAA", "mimeType": "image/png"},
        {"mimeType": "text/plain"},
        {},
    ]
)
_realtime = st.fixed_dictionaries(
    {},
    optional={
        "audio": _blobs,
        "video": _blobs,
        "mediaChunks": st.lists(_blobs, max_size=2),
        "text": st.text()
        | st.sampled_from([" ", "count to 9", "what do you see", "look_up", "remember x"]),
        "activityStart": st.just({}),
        "activityEnd": st.just({}),
        "audioStreamEnd": st.booleans(),
    },
)
_turns = st.sampled_from(
    [user("hi"), user("", picture(size=(8, 8))), {"role": "model"}, {"parts": [{"text": "x"}]}, {}]
)
_results = st.fixed_dictionaries(
    {"id": st.sampled_from(["fc_1", "fc_2", "function-call-1", ""]), "name": st.just("look_up")},
    optional={
        "response": st.dictionaries(st.sampled_from(["result", "error", "x"]), st.integers()),
        "scheduling": st.sampled_from(["SILENT", "WHEN_IDLE", "INTERRUPT"]),
        "willContinue": st.booleans(),
    },
)
_tools = st.sampled_from(["BLOCKING", "NON_BLOCKING", "UNSPECIFIED"]).map(
    lambda b: [{"functionDeclarations": [{"name": "look_up", "behavior": b}]}]
)
_messages = st.one_of(
    st.fixed_dictionaries({"realtimeInput": _realtime}),
    st.fixed_dictionaries(
        {
            "clientContent": st.fixed_dictionaries(
                {}, optional={"turns": st.lists(_turns, max_size=3), "turnComplete": st.booleans()}
            )
        }
    ),
    st.sampled_from([{"toolResponse": {}}, {"contextUpdate": {}}, {"setup": {}}]),
    st.fixed_dictionaries(
        {"toolResponse": st.fixed_dictionaries({"functionResponses": st.lists(_results)})}
    ),
)
_setups = st.fixed_dictionaries(
    {"model": st.sampled_from(["gemini-3.8-live", MODEL_3_1, MODEL_2_5, THINKING, WRITING])},
    optional={
        "tools": _tools,
        "generationConfig": st.sampled_from(
            [
                {"responseModalities": ["TEXT"]},
                {"thinkingConfig": {"thinkingLevel": "LOW"}},
                {"thinkingConfig": {"includeThoughts": True}},
            ]
        ),
        "historyConfig": st.just({"initialHistoryInClientContent": True}),
        "realtimeInputConfig": st.sampled_from(
            [
                {"activityHandling": "NO_INTERRUPTION"},
                {"automaticActivityDetection": {"disabled": True}},
                {"turnCoverage": "TURN_INCLUDES_ALL_INPUT"},
            ]
        ),
    },
)


@settings(max_examples=100, deadline=None)
@given(_setups, st.lists(st.tuples(_messages, st.floats(0, 5)), max_size=15), st.booleans())
def test_any_conversation(setup, messages, holds_work):
    numbers = itertools.count(1)
    client = Client(new_number=lambda: next(numbers)).set_up(**setup)
    client.holds_work = holds_work
    for message, pause_s in messages:
        try:
            parse(json.dumps(message))
        except ProtocolError:
            continue
        client.say(**message)
        client.wait(pause_s)
    client.do_work()
    client.wait(200)
    starts = client.content_fields().count("turnComplete")
    assert starts == len(client.noted("turn_complete"))
    assert client.closed is None or client.closed[0] in (1007, 1008)
    if client.closed is None:
        assert len(client.noted("answer")) <= starts
