"""Which clients there are, and where each one's environment and script are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".envs"
LOGS = ENVIRONMENTS / "logs"
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
        signature: What it calls itself on the wire, with a place for each version.
        runtime: What runs the script.
    """

    name: str
    title: str
    script: Path
    package: str
    signature: str
    runtime: Runtime = Runtime.PYTHON

    def on_the_wire(self, versions: Mapping[str, str]) -> str:
        """Returns what the client calls itself, "" when a version is unknown.

        Args:
            versions: By package, and those of Python or Node.
        """
        try:
            return self.signature.format_map(versions)
        except KeyError:
            return ""


_PYTHON_SDK = "google-genai-sdk/{google-genai} gl-python/{Python}"

CLIENTS = (
    Client(
        name="google-genai-2",
        title="google-genai",
        script=HERE / "clients/google_genai_client.py",
        package="google-genai",
        signature=_PYTHON_SDK,
    ),
    Client(
        name="google-genai-3",
        title="google-genai",
        script=HERE / "clients/google_genai_client.py",
        package="google-genai",
        signature=_PYTHON_SDK,
    ),
    Client(
        name="node",
        title="@google/genai",
        script=JAVASCRIPT / "client.mjs",
        package="@google/genai",
        signature="google-genai-sdk/{@google/genai} gl-node/v{Node}",
        runtime=Runtime.NODE,
    ),
    Client(
        name="pipecat",
        title="Pipecat, `GeminiLiveLLMService`",
        script=HERE / "clients/pipecat_client.py",
        package="pipecat-ai",
        signature=f"{_PYTHON_SDK} pipecat/{{pipecat-ai}}",
    ),
    Client(
        name="livekit",
        title="LiveKit, Google realtime plugin",
        script=HERE / "clients/livekit_client.py",
        package="livekit-plugins-google",
        signature=f"{_PYTHON_SDK} livekit-agents/{{livekit-agents}}",
    ),
)

CAPABILITIES = {
    "connect": "A session is set up, with the key.",
    "speak": "A sentence spoken in real time is heard: its input transcript tells the sentence's "
    "length and level.",
    "be answered": "An answer comes that can be heard, all that was sent, with a transcript that "
    "fits the sentence.",
    "be interrupted": "Speaking into a long answer ends it: the client says so within a second, "
    "and what it plays next is the answer to the sentence.",
    "call a tool": "A declared function is called with its argument, its result is sent, and told "
    "aloud.",
    "resume": "A second connection, with a handle, knows what was said in the first. Pipecat and "
    "LiveKit make it themselves when the network drops the first.",
    "ephemeral token": "A session with a token and no key, at the endpoint for tokens. Pipecat and "
    "LiveKit have no call to ask for one: google-genai asks, they use it.",
}
"""Each capability and what is done to see it, in the order in which clients do them."""
