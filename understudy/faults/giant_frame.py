"""A message that is too long."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Raw
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene
from understudy.wire import encode


@dataclass(kw_only=True)
class GiantFrame(Fault):
    """Sends a message of over 1 MiB, the limit of google-genai, which reports 1006."""

    imitates = "the default max_size of websockets; Pipecat reports 1006"
    moment = Moment(Place.AFTER_SETUP)
    mib: float = 1.5

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends it."""
        text = "x" * int(self.mib * 1024 * 1024)
        return (Raw(encode({"serverContent": {"outputTranscription": {"text": text}}})),)
