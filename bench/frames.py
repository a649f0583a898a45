"""What the frame-rate limiter saves, and that nothing is lost by it.

Plays the labelled clips against the limiter's decisions with a clock of its own: a minute of film
takes a second or two. The frames are looked at as in a session, five a second; nothing is encoded
or sent.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.clips import CLIP_S, CLIPS, Clip
from bench.unseen_clips import UNSEEN
from pipeline.frame_change import ChangeDetector
from pipeline.frame_schedule import FrameSchedule
from pipeline.pictures import Pixels
from pipeline.transports import VIDEO_IN_FPS
from pipeline.video_limits import VideoLimits

TOKENS_A_FRAME = 258
"""Whatever its size: https://ai.google.dev/gemini-api/docs/tokens."""
WITHIN_S = 1.0
_PHASE_S = 0.07
_RESULTS = Path(__file__).with_name("results") / "frames.md"


@dataclass(frozen=True)
class Played:
    """What became of a clip.

    Attributes:
        clip: The clip.
        shown: When each frame was shown, and when it was taken, in seconds.
    """

    clip: Clip
    shown: list[tuple[float, float]]

    @property
    def part_of_1_fps(self) -> float:
        """What it costs, where a frame a second is 1."""
        return len(self.shown) / CLIP_S

    @property
    def slowest_s(self) -> float:
        """The longest time from a change to the frame that shows it; infinite when none does."""
        return max((self._shown_after_s(change_s) for change_s in self.clip.changes_s), default=0.0)

    @property
    def late(self) -> int:
        """How many changes are shown later than they have to be."""
        return sum(self._shown_after_s(change_s) > WITHIN_S for change_s in self.clip.changes_s)

    def _shown_after_s(self, change_s: float) -> float:
        return min(
            (at_s - change_s for at_s, taken_s in self.shown if taken_s >= change_s),
            default=math.inf,
        )


def play(clip: Clip, limits: VideoLimits | None = None) -> Played:
    """Plays a clip as if it came from a page."""
    schedule: FrameSchedule[float] = FrameSchedule(limits or VideoLimits())
    detector = ChangeDetector(clip.source)
    shown: list[tuple[float, float]] = []
    gists: list[tuple[Image.Image, np.ndarray]] = []
    is_speaking = False

    def take(now_s: float) -> None:
        for due in schedule.due(now_s):
            detector.was_shown()
            shown.append((now_s, due.frame))

    for number in range(round(CLIP_S * VIDEO_IN_FPS)):
        now_s = number / VIDEO_IN_FPS + _PHASE_S
        while (due_s := schedule.next_due_s(now_s)) is not None and due_s <= now_s:
            take(max(due_s, 0.0))
        speaks = any(begin_s <= now_s < end_s for begin_s, end_s in clip.speech_s)
        if speaks and not is_speaking:
            schedule.user_started()
        if is_speaking and not speaks:
            schedule.user_stopped(now_s)
        is_speaking = speaks
        gist = _gist(clip.frame(now_s), clip.source, gists)
        glance = detector.look(gist, now_s=now_s)
        schedule.offer(clip.source, now_s, glance, now_s=now_s)
        take(now_s)
    return Played(clip, shown)


def _gist(
    picture: Image.Image, source: str, gists: list[tuple[Image.Image, np.ndarray]]
) -> np.ndarray:
    """The small grey picture; of one that was there a moment ago it is known."""
    for known, gist in gists:
        if known is picture:
            return gist
    pixels = Pixels(data=picture.tobytes(), size=picture.size, mode="RGB", source=source)
    gists[:] = [(picture, pixels.gist()), *gists[:3]]
    return gists[0][1]


def report(results: list[Played], unseen: list[Played]) -> str:
    """The tables."""
    lines = [
        "# Frames: what is saved, and what is not lost",
        "",
        f"A minute of each clip of `bench/clips.py`, {VIDEO_IN_FPS} frames a second, the limits that",
        f"a persona has by default. A frame costs {TOKENS_A_FRAME} tokens; 1 fps costs",
        f"{60 * TOKENS_A_FRAME:,} a minute. A change counts as shown when a frame that was taken",
        f"after it has been shown; each has to be within {WITHIN_S:g} s. Made by `make bench-frames`.",
        "",
        *_table(results),
        "",
        "## On which nothing was tuned",
        "",
        "The clips of `bench/unseen_clips.py`, drawn after the detector's figures were chosen.",
        "",
        *_table(unseen),
    ]
    return "\n".join(lines) + "\n"


def _table(results: list[Played]) -> list[str]:
    lines = [
        "| clip | frames a minute | tokens a minute | of 1 fps | target | changes | late | slowest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for played in results:
        clip, frames = played.clip, len(played.shown)
        target = f"{clip.target:g}" if clip.target else "-"
        changes, late, slowest = "-", "-", "-"
        if clip.changes_s:
            changes, late = str(len(clip.changes_s)), str(played.late)
            slowest = f"{played.slowest_s:.2f} s"
        lines.append(
            f"| {clip.name} | {frames} | {frames * TOKENS_A_FRAME:,} | {played.part_of_1_fps:.2f} "
            f"| {target} | {changes} | {late} | {slowest} |"
        )
    return lines


def main() -> None:
    """Plays all clips, prints the table and keeps it."""
    results = [play(clip) for clip in CLIPS]
    table = report(results, [play(clip) for clip in UNSEEN])
    print(table)
    _RESULTS.write_text(table, encoding="utf-8")
    missed = any(
        played.late or played.part_of_1_fps > (played.clip.target or 1) for played in results
    )
    sys.exit(missed)


if __name__ == "__main__":
    main()
