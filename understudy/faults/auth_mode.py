"""A way to come in that is closed."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Answer, Closing
from understudy.moments import Moment, Place, Scene
from understudy.routes import AuthMode as Mode


@dataclass(kw_only=True)
class AuthMode(Closing):
    """Closes with 1007 instead of answering the setup of who came in the way that `refuses` names.

    That is one of `AuthMode` in `routes.py`: a token at the plain endpoint unless told otherwise.
    """

    imitates = "google-gemini/cookbook#821, googleapis/js-genai#600, #691"
    moment = Moment(Place.SETUP)
    refuses: str = Mode.PLAIN_TOKEN
    code: int = 1007
    reason: str = "API key not valid. Please pass a valid API key."

    def __post_init__(self) -> None:
        if self.refuses not in list(Mode):
            raise ValueError(f"refuses has to be one of {', '.join(Mode)}, not {self.refuses!r}")

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Closes, if that is how the client came."""
        return super().strike(scene, now_s) if self.refuses in scene.auth_modes else ()
