"""What this machine carries, measured: its processors, its memory, and what sessions cost."""

import os

import psutil

from serving.admission.slots import Load

KEEP = 0.8
"""How much of the last mean stays in the next, each second: a mean over some five seconds."""


class Meter:
    """Measures once a second."""

    def __init__(self) -> None:
        self._cores = float(
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
        self._busy = 0.0
        self._session: float | None = None
        self._last_cpu_s: dict[str, float] = {}
        psutil.cpu_percent()  # the first call only begins to count

    def measure(self, cpu_s: dict[str, float], *, seconds: float) -> None:
        """Take one more measurement.

        Args:
            cpu_s: The processor time of each session so far.
            seconds: Since the last measurement.
        """
        busy = psutil.cpu_percent() / 100 * (os.cpu_count() or 1)
        self._busy = KEEP * self._busy + (1 - KEEP) * min(busy, self._cores)
        used = [
            (now - self._last_cpu_s[session_id]) / seconds
            for session_id, now in cpu_s.items()
            if session_id in self._last_cpu_s
        ]
        self._last_cpu_s = dict(cpu_s)
        if used:
            mean = sum(used) / len(used)
            self._session = (
                mean if self._session is None else (KEEP * self._session + (1 - KEEP) * mean)
            )

    @property
    def load(self) -> Load:
        """What is known now."""
        return Load(
            cores=self._cores,
            busy_cores=self._busy,
            free_bytes=psutil.virtual_memory().available,
            session_cores=self._session,
        )
