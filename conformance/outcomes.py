"""What became of each client, and the table that says so. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.evidence import missing, sessions
from conformance.registry import CAPABILITIES, Client, Runtime


@dataclass(frozen=True)
class Outcome:
    """What became of a capability.

    Attributes:
        ok: Whether it worked.
        note: What was seen, or why not.
        heard_ms: How long the answer was that the client heard.
    """

    ok: bool
    note: str
    heard_ms: int | None = None


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
        return self._conclude(
            said["capability"], Outcome(said["ok"], said["note"], said["heard_ms"])
        )

    def close(self, why: str) -> None:
        """Counts as failed whatever the client has not come to."""
        for capability in CAPABILITIES:
            self.outcomes.setdefault(capability, Outcome(False, why))

    def verify(self, *, pinned: Mapping[str, str], record: Iterable[str]) -> list[str]:
        """Counts as failed what the client tells and its lock files or the record don't.

        Args:
            pinned: The version of each package that belongs in its environment.
            record: The understudy's, a JSON object a line.

        Returns:
            What has failed by this, for people.
        """
        doubts = []
        wrong = [
            f"{name} is {version} and should be {pinned.get(name)}"
            for name, version in self.versions.items()
            if name != "Python" and version != pinned.get(name)
        ]
        if wrong:
            doubts.append(self._conclude("connect", Outcome(False, "; ".join(wrong))))
        name = self.client.on_the_wire(self.versions)
        held = sessions(record, name)
        for capability, outcome in self.outcomes.items():
            if outcome.ok and (what := missing(capability, held, outcome.heard_ms)):
                note = f"the understudy has no record, from {name}, of {what}; it told: "
                doubts.append(self._conclude(capability, Outcome(False, note + outcome.note)))
        return doubts

    @property
    def has_failed(self) -> bool:
        """Whether something does not work."""
        return not all(outcome.ok for outcome in self.outcomes.values())

    def _conclude(self, capability: str, outcome: Outcome) -> str:
        self.outcomes[capability] = outcome
        return f"{capability}: {_word(outcome)}: {outcome.note}"


def page(reports: Sequence[Report]) -> str:
    """Returns the page of the documentation, the same for the same outcomes."""
    lines = [
        "# Which clients the understudy takes in",
        "",
        "Written by `make conformance`: each client as published, in an environment of its own, "
        "nothing patched, all against one running understudy, over TLS. What a client tells counts "
        "only if the understudy's own record tells the same.",
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
    version = report.versions.get(client.package, "(no version)")
    # Python's version is the machine's: it would make the page another on another machine.
    runtime = "Python"
    if client.runtime is Runtime.NODE:
        runtime = f"Node {report.versions.get('Node', '').partition('.')[0]}".strip()
    return f"{client.title} {version}, {runtime}"


def _details(reports: Sequence[Report]) -> list[str]:
    lines = [
        f"- {_title(report)}: {capability}: {outcome.note}"
        for report in reports
        for capability, outcome in report.outcomes.items()
        if not outcome.ok
    ]
    return ["## What does not work", "", *lines, ""] if lines else []


def _word(outcome: Outcome) -> str:
    return "yes" if outcome.ok else "no"
