"""How many more sessions a machine can carry. Pure: figures in, a number out.

What has been accepted but has not loaded the machine yet is counted as if it had: in a burst of
starts the load that is measured says nothing of the calls that were accepted a second ago.
"""

from dataclasses import dataclass

SESSION_CORES = 0.2
"""What a call costs until one has been measured: 12 CPU seconds a minute with a camera
(`docs/performance.md`)."""

SESSION_BYTES = 64 * 2**20
"""What a call's memory is taken for: 40 MB of its own, and some for what it is shown."""

FULL_LOAD = 0.85
"""The part of the processor that may be in use; beyond it every call's voice begins to wait."""

SPARE_BYTES = 256 * 2**20
"""Memory that is left to the rest of the machine."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What was measured of a machine.

    Parameters:
        cores: Processors that this server may use.
        busy_cores: How many of them were busy over the last seconds, with all that ran.
        free_bytes: Memory that is available.
        session_cores: What a running session used of a processor on average; None: none ran.
    """

    cores: float
    busy_cores: float
    free_bytes: int
    session_cores: float | None = None


def free_slots(load: Load, *, running: int, loading: int, most: int | None) -> int:
    """How many more sessions can be taken.

    Args:
        load: What was measured.
        running: Sessions that have a lease, the loading ones included.
        loading: Sessions that are not in the measured load yet: reserved, or just begun.
        most: A number that was set; then nothing measured counts. None: as many as fit.

    Returns:
        0 or more. Where none runs there is room for one, however busy the machine is: it is the
        owner's laptop, compiling.
    """
    if most is not None:
        return max(0, most - running)
    measured = SESSION_CORES if load.session_cores is None else load.session_cores
    each = max(measured, SESSION_CORES / 4)
    by_cores = (load.cores * FULL_LOAD - load.busy_cores - loading * each) / each
    by_memory = (load.free_bytes - SPARE_BYTES - loading * SESSION_BYTES) / SESSION_BYTES
    return max(0, int(min(by_cores, by_memory)), 1 - running)
