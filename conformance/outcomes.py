"""What became of each client, and the table that says so. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance.registry import CAPABILITIES, Client


@dataclass(frozen=True)
class Outcome:
    """What became of a capability.

    Attributes:
        ok: Whether it worked; None when the client has no such thing by its own nature.
        note: What was seen, or why not.
    """

    ok: bool | None
    note: str


@dataclass
class Report:
    """What a client has printed."""

    client: Client
    versions: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def take(self, line: str) -> str:
        """Takes a line of a client's output and returns it for people; "" for none."""
        try:
            said = json.loads(line)
        except ValueError:
            return ""
        if not isinstance(said, Mapping):
            return ""
        if "versions" in said:
            self.versions = dict(said["versions"])
            return ", ".join(f"{name} {version}" for name, version in self.versions.items())
        outcome = Outcome(said["ok"], said["note"])
        self.outcomes[said["capability"]] = outcome
        return f"{said['capability']}: {_word(outcome)}: {outcome.note}"

    def close(self, why: str) -> None:
        """Counts as failed whatever the client has not come to."""
        for capability in CAPABILITIES:
            self.outcomes.setdefault(capability, Outcome(False, why))

    @property
    def has_failed(self) -> bool:
        """Whether something is wrong that should work."""
        return any(outcome.ok is False for outcome in self.outcomes.values())


def page(reports: Sequence[Report]) -> str:
    """Returns the page of the documentation, the same for the same outcomes."""
    lines = [
        "# Which clients the understudy takes in",
        "",
        "Written by `make conformance`: each client as published, in an environment of its own, "
        "nothing patched, all against one running understudy, over TLS.",
        "",
        f"| Client | {' | '.join(CAPABILITIES)} |",
        f"|---|{'---|' * len(CAPABILITIES)}",
        *map(_row, reports),
        "",
        *_details(reports),
        "## What each of them means",
        "",
        "| | |",
        "|---|---|",
        *(f"| {capability} | {meaning} |" for capability, meaning in CAPABILITIES.items()),
    ]
    return "\n".join(lines) + "\n"


def _row(report: Report) -> str:
    words = (_word(report.outcomes[capability]) for capability in CAPABILITIES)
    cells = ("**no**" if word == "no" else word for word in words)
    return f"| {_title(report)} | {' | '.join(cells)} |"


def _title(report: Report) -> str:
    client = report.client
    # Of Python's number the last part is the machine's, and would change from one to another.
    runtime = "".join(
        f", {name} {'.'.join(report.versions[name].split('.')[:parts])}"
        for name, parts in (("Python", 2), ("Node", 1))
        if name in report.versions
    )
    version = report.versions.get(client.package, "(no version)")
    return f"{client.title} {version}{runtime}"


def _details(reports: Sequence[Report]) -> list[str]:
    lines = [
        f"- {_title(report)}: {capability}: {outcome.note}"
        for report in reports
        for capability, outcome in report.outcomes.items()
        if outcome.ok is not True
    ]
    return ["## What does not work, or is not there", "", *lines, ""] if lines else []


def _word(outcome: Outcome) -> str:
    return {True: "yes", False: "no", None: "has none"}[outcome.ok]
