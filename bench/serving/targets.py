"""What was aimed at, beside what was measured. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.media.rows import percentile
from bench.serving.figures import COUNTED, Held, Results, growth

START_MS = {True: 400, False: 900}
"""With spares and without."""
SESSION_MB = 40
REFUSED_MS = 50
SLOWER = 0.2
GROWTH = 0.05


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target.

    Attributes:
        name: What is measured.
        aim: What it is to be.
        seen: What it is; "-" when it was not measured.
        is_met: None: nobody can tell.
    """

    name: str
    aim: str
    seen: str = "-"
    is_met: bool | None = None


def targets(results: Results) -> list[Target]:
    """All targets."""
    return [
        *(_start(results, with_spares) for with_spares in (True, False)),
        _memory(results),
        _slots(results),
        _refused(results),
        _calls(results),
        *(_growth(results, whose) for whose in ("server", "forkserver")),
        _left(results),
    ]


def targets_table(aims: Sequence[Target]) -> str:
    """The targets as a table with a line for each."""
    met = {True: "yes", False: "no", None: "-"}
    lines = [
        ("What", "Aim", "Measured", "Met?"),
        ("---", "--:", "--:", "---"),
        *((target.name, target.aim, target.seen, met[target.is_met]) for target in aims),
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _start(results: Results, with_spares: bool) -> Target:
    most = START_MS[with_spares]
    media = [
        start.media
        for spares, starts in results.starts.items()
        for start in starts
        if bool(spares) is with_spares
    ]
    how = "with spares" if with_spares else "without spares"
    return _at_most(
        f"Offer to first media at the model, {how}, p95, ms", most, media and percentile(media, 95)
    )


def _memory(results: Results) -> Target:
    seen = [*results.memory.greeted, *results.memory.talked]
    return _at_most(
        "Private memory of a session's process, greatest, MB",
        SESSION_MB,
        max(seen, default=None),
        digits=1,
    )


def _slots(results: Results) -> Target:
    bursts = results.bursts
    name = f"Burst of starts: accepted, of {bursts.free} free slots"
    if not bursts.answers:
        return Target(name=name, aim=str(bursts.free))
    least, most = min(bursts.accepted), max(bursts.accepted)
    seen = str(most) if least == most else f"{least} to {most}"
    if bursts.others:
        seen += f", {bursts.others} neither accepted nor refused"
    is_met = least == most == bursts.free and not bursts.others
    return Target(name=name, aim=str(bursts.free), seen=seen, is_met=is_met)


def _refused(results: Results) -> Target:
    refused = results.bursts.refused_ms
    return _at_most("Burst of starts: slowest refusal, ms", REFUSED_MS, max(refused, default=None))


def _calls(results: Results) -> Target:
    slower = results.bursts.slower
    return _at_most(
        "Burst of starts: running calls' added latency, p95, more than before, %",
        100 * SLOWER,
        None if slower is None else 100 * slower,
    )


def _growth(results: Results, whose: str) -> Target:
    warm = results.warm
    name = f"Memory of the {whose} after {_many(results)}, more than after the first, %"
    if warm is None or warm is results.held[-1]:
        return Target(name=name, aim=f"{100 * GROWTH:.0f}")
    values = [getattr(held, f"{whose}_mb") for held in _since(results, warm)]
    return _at_most(name, 100 * GROWTH, 100 * growth(values), digits=1)


def _left(results: Results) -> Target:
    warm = results.warm
    name = f"Left after {_many(results)}: {', '.join(COUNTED)}, more than after the first"
    if warm is None or warm is results.held[-1]:
        return Target(name=name, aim="none")
    last = results.held[-1]
    more = {what: getattr(last, what) - getattr(warm, what) for what in COUNTED}
    found = [f"{count} {what}" for what, count in more.items() if count > 0]
    if last.failed:
        found.append(f"{last.failed} calls failed")
    return Target(name=name, aim="none", seen=", ".join(found) or "none", is_met=not found)


def _since(results: Results, warm: Held) -> list[Held]:
    return results.held[results.held.index(warm) :]


def _many(results: Results) -> str:
    warm = results.warm
    return (
        f"{results.held[-1].sessions} sessions ({warm.sessions})" if warm else "sessions in a row"
    )


def _at_most(
    name: str, most: float, seen: float | None | list[float], *, digits: int = 0
) -> Target:
    aim = f"{most:.0f}"
    if seen is None or isinstance(seen, list):
        return Target(name=name, aim=aim)
    # Zero is added so that there is no "-0".
    text = f"{round(seen, digits) + 0:.{digits}f}"
    return Target(name=name, aim=aim, seen=text, is_met=seen <= most)
