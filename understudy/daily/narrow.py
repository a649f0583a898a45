"""What a telephone line does to sound: 8 kHz, mu-law (ITU-T G.711). Pure."""

from __future__ import annotations

import numpy as np
import soxr

from understudy.g711 import decode, encode

LINE_HZ = 8000


def to_line(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Returns sound as it leaves a telephone.

    Args:
        samples: int16, mono.
        rate_hz: Their rate.
    """
    return decode(encode(_resampled(samples, rate_hz)))


def _resampled(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    return samples if rate_hz == LINE_HZ else soxr.resample(samples, rate_hz, LINE_HZ)
