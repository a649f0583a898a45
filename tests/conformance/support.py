"""What a client prints and what the understudy records of it, when all is well."""

import json

from conformance.outcomes import Report
from conformance.registry import CAPABILITIES, CLIENTS

VERSIONS = {"Python": "3.11.7", "google-genai": "2.34.0"}
PINNED = {"google-genai": "2.34.0"}
NAME = "google-genai-sdk/2.34.0 gl-python/3.11.7"
HEARD_MS = {
    "be answered": 4700,
    "be interrupted": 4800,
    "call a tool": 2900,
    "resume": 3500,
    "ephemeral token": 1250,
}
KEY = {"constrained": False, "credentials": ["key"]}
TOKEN = {"constrained": True, "credentials": ["token"]}


def spoken(ms):
    """An answer to speech, of that length."""
    return [
        ("activity_end", {"speech_s": 1.7}),
        ("answer", {"why": "speech"}),
        ("audio_out", {"ms": ms}),
    ]


def sessions():
    """The events of one session for each capability."""
    return {
        "connect": [("connected", KEY), ("setup", {"resumed": False})],
        "speak": [("connected", KEY), ("activity_end", {})],
        "be answered": [("connected", KEY), *spoken(4700)],
        "be interrupted": [
            ("connected", KEY),
            ("answer", {"why": "count"}),
            ("interrupted", {"generated": False}),
            ("audio_out", {"ms": 2000}),
            *spoken(4800),
        ],
        "call a tool": [
            ("connected", KEY),
            ("tool_call", {"name": "get_weather", "args": {"city": "Paris"}, "id": "fc_1"}),
            ("tool_response", {"ids": ["fc_1"]}),
            ("answer", {"why": "tool"}),
            ("audio_out", {"ms": 2900}),
        ],
        "resume": [
            ("connected", KEY),
            ("setup", {"resumed": True}),
            ("answer", {"why": "recollection"}),
            ("audio_out", {"ms": 3500}),
        ],
        "ephemeral token": [
            ("connected", TOKEN),
            ("answer", {"why": "text"}),
            ("audio_out", {"ms": 1250}),
        ],
    }


def record(changed, *, name=NAME):
    """The understudy's record of these sessions."""
    return [
        json.dumps({"session": capability, "event": event, "client": name, **fields})
        for capability, events in changed.items()
        for event, fields in events
    ]


def report(versions=None, **changed):
    """What a client has printed; every capability works but those that are changed."""
    made = Report(CLIENTS[0])
    made.take(json.dumps({"versions": versions or VERSIONS}))
    for capability in CAPABILITIES:
        ok, note = changed.get(capability, (True, "seen"))
        said = {"ok": ok, "note": note, "heard_ms": HEARD_MS.get(capability)}
        made.take(json.dumps({"capability": capability, **said}))
    made.close("it ended before it came to this")
    return made
