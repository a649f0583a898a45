"""The page with the matrix's result."""

from collections import Counter
from collections.abc import Sequence

from tests.reliability.matrix import TOLD_S, Cell, Outcome, State
from understudy.faults import FAULTS


def page(cells: Sequence[Cell]) -> str:
    """Returns the page, the same text for the same outcomes."""
    found = {(cell.fault, cell.state): cell for cell in cells}
    count = Counter(cell.outcome for cell in cells)
    lines = [
        "# What faults of the model's service do to a conversation",
        "",
        "Written by `make reliability`: each fault that the understudy can have "
        "strikes in each of four states of a conversation, which then goes on to another question. "
        "The faults are explained in [SCENARIOS.md](../understudy/SCENARIOS.md).",
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
    return "\n".join(lines) + "\n"


_NAMES = {
    Outcome.UNNOTICED: "unnoticed",
    Outcome.TOLD: "told",
    Outcome.ENDED: "ended in words",
    Outcome.FAILED: "**failed**",
}
