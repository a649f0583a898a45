"""Sound as telephones carry it: ITU-T G.711, mu-law. Pure."""

import numpy as np

_BIAS, _CLIP = 0x84, 32_635


def decode(data: bytes) -> np.ndarray:
    """Mu-law as int16 samples."""
    return _TABLE[np.frombuffer(data, np.uint8)]


def encode(samples: np.ndarray) -> bytes:
    """Int16 samples as mu-law."""
    sign = np.where(samples < 0, 0x80, 0)
    level = np.minimum(np.abs(samples.astype(np.int32)), _CLIP) + _BIAS
    exponent = np.floor(np.log2(level)).astype(np.int32) - 7
    mantissa = (level >> (exponent + 3)) & 0x0F
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()


def _table() -> np.ndarray:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    level = (((code & 0x0F) << 3) + _BIAS << ((code >> 4) & 7)) - _BIAS
    return np.where(code & 0x80, -level, level).astype(np.int16)


_TABLE = _table()
