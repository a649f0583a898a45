"""The page with what was found."""

from collections import Counter
from collections.abc import Sequence

from tests.reliability.hour import GO_AWAYS, Hour
from tests.reliability.losses import Loss
from tests.reliability.matrix import TOLD_S, Cell, Outcome, State
from understudy.faults import FAULTS


def page(cells: Sequence[Cell], losses: Sequence[Loss], hour: Hour) -> str:
    """Returns the page."""
    return "\n".join(
        [
            "# What faults of the model's service do to a conversation",
            "",
            "Written by `make reliability`. Every conversation here is a whole one: the pipeline "
            "that runs in production, speech in real time, and the understudy in the place of "
            "Google's servers.",
            "",
            *_losses(losses),
            *_hour(hour),
            *_matrix(cells),
        ]
    )


def _losses(losses: Sequence[Loss]) -> list[str]:
    lines = [
        "## What gets lost when the line moves or breaks",
        "",
        "Somebody asks a question of some seconds aloud, and in the middle of it this happens; or "
        "the bot counts aloud. Measured are the speech that the model heard, against the same "
        "question when nothing happens, and the silences in the bot's speech, against the same "
        "count when nothing happens.",
        "",
        "| What happens | No connection for | Question | Heard by the model | Lost | Gap in the "
        "bot's speech | The page says |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for loss in losses:
        question, heard, lost, gap = "", "", "", ""
        if loss.question_s:
            question, heard = f"{loss.question_s:.2f} s", f"{loss.heard_s:.2f} s"
            lost = f"{loss.lost_ms} ms"
        if loss.gap_s is not None:
            gap = "none" if loss.gap_s < 0.05 else f"{loss.gap_s * 1000:.0f} ms"
        states = ", ".join(loss.states)
        lines.append(
            f"| {loss.case} | {loss.down_s:.2f} s | {question} | {heard} | {lost} | {gap} "
            f"| {states} |"
        )
    return [*lines, ""]


def _hour(hour: Hour) -> list[str]:
    early_s, late_s = hour.drift_s
    count = Counter(hour.states)
    return [
        "## An hour",
        "",
        f"A conversation of an hour on a clock that runs sixty times faster, with {len(GO_AWAYS)} "
        "goAways and the cut after 58 minutes, whose resumption handle is refused. It moved "
        f"{count['resuming']} times with a handle and began anew {count['reseeding']} time(s); "
        "asked at its end for what it was told in its first minute, the model says: "
        f"“{hour.recalled}”",
        "",
        f"{len(hour.latencies_s)} questions; from a question typed to the first sound of its "
        f"answer {early_s:.2f} s in the median of the first half hour, {late_s:.2f} s of the "
        "second. The understudy takes 0.57 s of it, as was recorded of the real service.",
        "",
    ]


def _matrix(cells: Sequence[Cell]) -> list[str]:
    found = {(cell.fault, cell.state): cell for cell in cells}
    count = Counter(cell.outcome for cell in cells)
    lines = [
        "## Every fault in every state",
        "",
        "Each fault that the understudy can have strikes in each of four states of a conversation, "
        "which then goes on to another question. The faults are explained in "
        "[SCENARIOS.md](../understudy/SCENARIOS.md).",
        "",
        "- **unnoticed**: the page showed nothing, and no answer kept the user waiting.",
        f"- **told**: the page said what was going on, within {TOLD_S:.0f} s of when something "
        "became noticeable; the conversation went on.",
        "- **ended in words**: it could not go on (a bad key, a used-up quota), and the user was "
        "told why.",
        "",
        "In each of them: functions were run once, and each call was answered or cancelled once; "
        "what the user said and typed is in the turn log once; the turn log holds the last answer; "
        "no task was left.",
        "",
        f"{len(cells)} cells: " + ", ".join(f"{count[o]} {_NAMES[o]}" for o in Outcome) + ".",
        "",
        "| Fault | What it is | " + " | ".join(State) + " |",
        "|---|---|" + "---|" * len(State),
    ]
    for name, fault in FAULTS.items():
        what = (fault.__doc__ or "").split("\n")[0]
        outcomes = " | ".join(_NAMES[found[name, state].outcome] for state in State)
        lines.append(f"| `{name}` | {what} | {outcomes} |")
    failed = [cell for cell in cells if cell.outcome is Outcome.FAILED]
    lines += ["", *(f"- `{c.fault}`, {c.state}: {c.why}" for c in failed)] if failed else []
    return [*lines, ""]


_NAMES = {
    Outcome.UNNOTICED: "unnoticed",
    Outcome.TOLD: "told",
    Outcome.ENDED: "ended in words",
    Outcome.FAILED: "**failed**",
}
