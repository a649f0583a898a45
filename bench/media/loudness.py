"""What counts as speech here: well above what a codec makes of silence. Pure."""

from __future__ import annotations

import numpy as np

LOUD = 0.03
"""Of full scale. Speech is cut where it is over it, so that its first and last sample are known."""
LOUD_DBFS = -42.0
"""Of a message of 20 to 100 ms. Opus' ringing after a cut is below -50, speech here over -35."""


def loud_span(samples: np.ndarray, *, rate_hz: int) -> tuple[float | None, float | None]:
    """Where the first loud sample begins and the last one ends, in seconds; None: none is loud.

    Args:
        samples: int16, mono.
        rate_hz: Of the samples.
    """
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD * 32768)
    if not loud.size:
        return None, None
    return float(loud[0]) / rate_hz, float(loud[-1] + 1) / rate_hz
