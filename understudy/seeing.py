"""Eyes: how big and how bright a picture is, and which colours it mainly has. Pure, but slow.

Decoding a picture takes from 1 to 50 ms, so this runs off the event loop.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image

from understudy.facts import Seen, Unreadable

SOURCES = frozenset({"camera", "screenVideo", "upload"})
"""Sources of pictures, named as Pipecat names them."""
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
"""A 50 megapixel photograph; more is taken for a decompression bomb and not decoded."""
_SAMPLE_SIDE = 96
"""Colours are counted on a thumbnail: 9,216 pixels are enough for shares of a per cent."""
_MIN_SHARE = 0.12
_MAX_COLOURS = 3

_HUES = (
    (15, "red"),
    (45, "orange"),
    (70, "yellow"),
    (160, "green"),
    (190, "cyan"),
    (255, "blue"),
    (310, "purple"),
    (345, "pink"),
    (361, "red"),
)
"""Upper bounds of the hues in degrees, for a colour that is neither dark nor pale."""


def look(data: bytes) -> Seen | Unreadable:
    """Describes a picture.

    Args:
        data: A JPEG, PNG or WebP file. A JPEG comment of the form `source=camera` names the
            source of the picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    return Unreadable(f"{width}x{height} pixels are too many")
                source = _source(picture.info.get("comment"))
                picture.draft("RGB", (_SAMPLE_SIDE * 2, _SAMPLE_SIDE * 2))
                pixels = _sample(picture)
    except Exception as error:  # Pillow's decoders raise nearly anything on broken files
        return Unreadable(f"{type(error).__name__}: {error}"[:200])
    luma = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    return Seen(source, width, height, round(float(luma.mean())), main_colours(pixels))


def _source(comment: object) -> str:
    if not isinstance(comment, bytes):
        return ""
    name, _, value = comment.decode("utf-8", "replace").strip().partition("=")
    return value if name == "source" and value in SOURCES else ""


def _sample(picture: Image.Image) -> np.ndarray:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture.convert("RGBA"))
    small = picture.convert("RGB").resize((_SAMPLE_SIDE, _SAMPLE_SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float64).reshape(-1, 3)


def main_colours(pixels: np.ndarray) -> tuple[tuple[str, float], ...]:
    """Names the main colours of some pixels.

    Args:
        pixels: RGB values of 0 to 255, shape (n, 3).

    Returns:
        At most three (name, share 0..1), the most frequent first; each has at least 12 %,
        except that there is always one.
    """
    names, counts = np.unique(name_colours(pixels), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MAX_COLOURS]
    shares = [(str(names[i]), round(float(counts[i]) / len(pixels), 3)) for i in order]
    return tuple(item for item in shares if item[1] >= _MIN_SHARE) or (shares[0],)


def name_colours(pixels: np.ndarray) -> np.ndarray:
    """Names the colour of each pixel, by hue, saturation and value.

    Args:
        pixels: RGB values of 0 to 255, shape (n, 3).

    Returns:
        Colour names, shape (n,).
    """
    rgb = pixels / 255.0
    value = rgb.max(axis=1)
    chroma = value - rgb.min(axis=1)
    saturation = np.divide(chroma, value, out=np.zeros_like(value), where=value > 0)
    hue = _hue(rgb, value, chroma)

    by_hue = np.select([hue < bound for bound, _ in _HUES], [name for _, name in _HUES], "red")
    reddish = (hue < 15) | (hue >= 330)
    orangish = (hue >= 15) & (hue < 45)
    rules = [
        (value < 0.16, "black"),
        ((saturation < 0.13) & (value > 0.82), "white"),
        ((saturation < 0.16) & (value > 0.22), "grey"),
        ((saturation < 0.25) & (value <= 0.22), "black"),
        (reddish & (saturation < 0.62) & (value > 0.7), "pink"),
        (orangish & (saturation < 0.4) & (value > 0.8), "pink"),
        (orangish & (value < 0.7), "brown"),
        ((hue < 15) & (value < 0.5) & (saturation < 0.75), "brown"),
        ((hue >= 50) & (hue < 70) & (value < 0.6), "green"),
    ]
    return np.select([where for where, _ in rules], [name for _, name in rules], by_hue)


def _hue(rgb: np.ndarray, value: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    red, green, blue = rgb.T
    safe = np.where(chroma > 0, chroma, 1.0)
    sextant = np.select(
        [value == red, value == green],
        [((green - blue) / safe) % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    return sextant * 60.0
