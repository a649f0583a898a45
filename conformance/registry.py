"""Which clients there are, and where each one's environment and script are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".envs"
JAVASCRIPT = HERE / "javascript"


class Runtime(Enum):
    """What runs a client's script."""

    PYTHON = auto()
    NODE = auto()


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client of the Live API.

    Attributes:
        name: Of its lock file and its environment.
        title: As people know it.
        script: Prints what `clients/harness.py` describes.
        package: Whose version stands beside the title.
        runtime: What runs the script.
    """

    name: str
    title: str
    script: Path
    package: str
    runtime: Runtime = Runtime.PYTHON


CLIENTS = (
    Client(
        name="google-genai-2",
        title="google-genai",
        script=HERE / "clients/google_genai_client.py",
        package="google-genai",
    ),
    Client(
        name="google-genai-3",
        title="google-genai",
        script=HERE / "clients/google_genai_client.py",
        package="google-genai",
    ),
    Client(
        name="node",
        title="@google/genai",
        script=JAVASCRIPT / "client.mjs",
        package="@google/genai",
        runtime=Runtime.NODE,
    ),
    Client(
        name="pipecat",
        title="Pipecat, `GeminiLiveLLMService`",
        script=HERE / "clients/pipecat_client.py",
        package="pipecat-ai",
    ),
    Client(
        name="livekit",
        title="LiveKit, Google realtime plugin",
        script=HERE / "clients/livekit_client.py",
        package="livekit-plugins-google",
    ),
)

CAPABILITIES = {
    "connect": "A session is set up.",
    "speak": "A sentence spoken in real time is heard: its input transcript comes.",
    "be answered": "An answer comes that can be heard, with a transcript that fits.",
    "be interrupted": "Speaking into a long answer ends it.",
    "call a tool": "A declared function is called, its result is sent and answered aloud.",
    "resume": "A second connection with a handle knows what was said in the first. Pipecat and "
    "LiveKit make it themselves when the network drops the first.",
    "ephemeral token": "A session with a token in the place of a key. Pipecat and LiveKit have no "
    "call to ask for one: google-genai asks, they use it.",
}
"""Each capability and what is done to see it, in the order in which clients do them."""
