"""Whose camera and whose screen the model sees, of several people's. Pure.

The model takes one picture a second: two cameras would each be half as fresh, and of a room of ten
nobody would be seen. And each track that is taken from Daily is decoded and copied at its full rate.
"""

from dataclasses import dataclass, field

SPOKEN_S = 0.7
"""So long somebody speaks before their camera is shown."""
CHANGE_S = 4.0
"""So long a camera is shown at least before another is."""
CAMERA, SCREEN = "camera", "screenVideo"


@dataclass(frozen=True)
class Shown:
    """Whose is shown: participant ids, None for nobody's."""

    camera: str | None = None
    screen: str | None = None

    @property
    def tracks(self) -> set[tuple[str, str]]:
        """The tracks: participant id and source of each."""
        tracks = {(self.camera, CAMERA), (self.screen, SCREEN)}
        return {(who, source) for who, source in tracks if who is not None}

    def has(self, who: str, source: str) -> bool:
        """Whether a track is one of them; a custom track is nobody's to choose."""
        return (who, source) in self.tracks


@dataclass
class _Sources:
    camera: bool = False
    screen_since_s: float | None = None


@dataclass
class Presenting:
    """Chooses one camera and one screen.

    Of screens the one that was shared last is shown, until it is not shared any more. Of cameras
    that of who speaks, else the one that was shown, else that of who shares the screen, else that
    of who came first. Somebody alone is shown as they are, whatever is switched on.
    """

    _people: dict[str, _Sources] = field(default_factory=dict)
    _speaker: tuple[str, float] | None = None
    _shown: Shown = field(default_factory=Shown)
    _changed_s: float = float("-inf")

    def sends(self, who: str, *, camera: bool, screen: bool, now_s: float) -> None:
        """Somebody is here, and has these switched on."""
        sources = self._people.setdefault(who, _Sources())
        sources.camera = camera
        if not screen:
            sources.screen_since_s = None
        elif sources.screen_since_s is None:
            sources.screen_since_s = now_s

    def left(self, who: str) -> None:
        """Somebody is not here any more."""
        self._people.pop(who, None)
        if self._speaker and self._speaker[0] == who:
            self._speaker = None

    def speaks(self, who: str, now_s: float) -> None:
        """Somebody speaks, and is the last who did until somebody else does."""
        if self._speaker is None or self._speaker[0] != who:
            self._speaker = (who, now_s)

    def choose(self, now_s: float) -> Shown:
        """Returns whose are shown from now on."""
        if len(self._people) == 1:
            (alone,) = self._people
            shown = Shown(alone, alone)
        else:
            screen = self._screen()
            shown = Shown(self._camera(screen, now_s), screen)
        if shown.camera != self._shown.camera:
            self._changed_s = now_s
        self._shown = shown
        return shown

    def _screen(self) -> str | None:
        shared = {
            who: sources.screen_since_s
            for who, sources in self._people.items()
            if sources.screen_since_s is not None
        }
        return max(shared, key=lambda who: shared[who], default=None)

    def _camera(self, presenter: str | None, now_s: float) -> str | None:
        now = self._shown.camera if self._has_camera(self._shown.camera) else None
        speaker = self._speaker
        if speaker and self._has_camera(speaker[0]):
            may_change = now is None or now_s - self._changed_s >= CHANGE_S
            if may_change and now_s - speaker[1] >= SPOKEN_S:
                return speaker[0]
        if now is not None:
            return now
        if self._has_camera(presenter):
            return presenter
        return next((who for who, sources in self._people.items() if sources.camera), None)

    def _has_camera(self, who: str | None) -> bool:
        return who in self._people and self._people[who].camera
