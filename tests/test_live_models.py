"""What a call reads and writes is built before the call, and nothing of it in the call."""

import subprocess
import sys

import pytest

from pipeline.settings import ROOT

CALL = """\
from google.genai import types
from pydantic._internal import _model_construction

def needs(name):
    sys.exit(f"{name} is built in the call")

import sys
built_before = sys.argv[1] == "built"
if built_before:
    from pipeline.live_models import build_models
    build_models()
_model_construction.complete_model_class = lambda model, *a, **k: needs(model.__name__)
types.LiveConnectConfig(speech_config=types.SpeechConfig(language_code="en-US"))
types.LiveServerMessage.model_validate(
    {"serverContent": {"modelTurn": {"parts": [{"text": "Good day."}]}}}
)
types.LiveServerMessage.model_validate({"toolCall": {"functionCalls": [{"name": "look"}]}})
types.LiveSendRealtimeInputParameters(audio=types.Blob(data=b"1", mime_type="audio/pcm"))
types.FunctionResponse(name="look", response={})
"""


@pytest.mark.parametrize(("when", "status"), [("built", 0), ("not built", 1)])
def test_nothing_is_built_in_a_call(when, status):
    done = subprocess.run([sys.executable, "-c", CALL, when], cwd=ROOT, capture_output=True)
    assert done.returncode == status, done.stderr.decode()
