"""Small films with a label for everything that happens in them, drawn anew each time.

A screen has 14 px type on 1920 x 1080 pixels, a camera 640 x 480 pixels with the noise of a sensor.
A change is labelled with the time at which it is complete: the word stands there, the hand is up.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SCREEN = (1920, 1080)
CAMERA = (640, 480)
CLIP_S = 60.0
SPEECH_S = ((4.0, 12.0), (20.0, 27.0), (36.0, 45.0), (52.0, 58.0))
"""When the person in front of the camera speaks: half of the time."""

_WORDS = "alpha river stone copper meadow signal harbour violet margin kettle lantern orbit".split()
_NOISE_LEVELS = 3.0
_HAND_S = (9.0, 23.0, 31.0, 48.0)
_HAND_RISES_S, _HAND_STAYS_S = 0.6, 3.0
_OBJECT_S = (7.3, 15.0, 22.1, 33.6, 50.2)
_WORD_S = (5.1, 8.0, 14.3, 15.9, 27.2, 41.0, 43.5)
_SLIDE_S = (4.0, 9.5, 12.0, 14.0, 16.0, 30.3, 44.1, 55.0)
_TYPED_S, _LETTERS_A_SECOND = ((6.0, 31), (20.0, 12), (35.0, 48)), 4.5


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A film of a minute.

    Parameters:
        name: What it shows.
        source: `camera` or `screenVideo`.
        frame: The picture at a time.
        changes_s: When each thing that the model must see is complete.
        speech_s: From when to when the user speaks.
        target: Which part of the tokens of 1 fps it may cost; None when there is no target.
    """

    name: str
    source: str
    frame: Callable[[float], Image.Image]
    changes_s: tuple[float, ...] = ()
    speech_s: tuple[tuple[float, float], ...] = SPEECH_S
    target: float | None = None


# --- screens ---------------------------------------------------------------------------------------


@functools.cache
def _font(size: int):
    return ImageFont.load_default(size=size)


@functools.lru_cache(maxsize=4)
def _page(number: int, changed: int = 0) -> Image.Image:
    """A page of text; of one word in its middle there are several versions."""
    page = Image.new("RGB", SCREEN, "white")
    draw = ImageDraw.Draw(page)
    draw.text((80, 40), f"Chapter {number + 1}", fill="black", font=_font(40))
    for line in range(32):
        words = [_WORDS[(line * 5 + word * 7 + number * 3) % 12] for word in range(22)]
        if line == 15:
            words[6] = _WORDS[changed % 12]
        for column, word in enumerate(words):
            draw.text((80 + column * 80, 120 + line * 28), word, fill="black", font=_font(14))
    return page


def _static(at_s: float) -> Image.Image:
    return _page(0)


def _ticking(at_s: float) -> Image.Image:
    return _clock_page(int(at_s), at_s % 1.06 < 0.53)


@functools.lru_cache(maxsize=4)
def _clock_page(second: int, has_cursor: bool) -> Image.Image:
    page = _page(0).copy()
    draw = ImageDraw.Draw(page)
    draw.text((1840, 1055), f"10:42:{second:02}", fill="black", font=_font(14))
    if has_cursor:
        draw.rectangle((700, 540, 701, 556), fill="black")
    return page


def _words(at_s: float) -> Image.Image:
    return _page(0, sum(at_s >= change_s for change_s in _WORD_S))


def _slides(at_s: float) -> Image.Image:
    number = sum(at_s >= change_s for change_s in _SLIDE_S)
    return _page(number % 3)  # also back to pages that were there before


def _typing(at_s: float) -> Image.Image:
    letters = [
        min(max(math.ceil((at_s - begin_s) * _LETTERS_A_SECOND), 0), letters)
        for begin_s, letters in _TYPED_S
    ]
    return _typed_page(*letters)


@functools.lru_cache(maxsize=4)
def _typed_page(*letters: int) -> Image.Image:
    page = _page(0).copy()
    draw = ImageDraw.Draw(page)
    for line, typed in enumerate(letters):
        text = (" ".join(_WORDS[line:]))[:typed]
        draw.text((1000, 40 + line * 22), text, fill="black", font=_font(14))
    return page


# --- cameras ---------------------------------------------------------------------------------------


@functools.cache
def _noise() -> list[np.ndarray]:
    random = np.random.default_rng(11)
    shape = (CAMERA[1], CAMERA[0], 3)
    return [random.normal(0, _NOISE_LEVELS, shape).astype(np.int16) for _ in range(7)]


@functools.cache
def _room() -> Image.Image:
    rows, columns = np.mgrid[0 : CAMERA[1], 0 : CAMERA[0]]
    wall = 150 + 20 * np.sin(columns / 90) + 10 * np.sin(rows / 50)
    room = Image.fromarray(np.stack([wall, wall * 0.95, wall * 0.85], axis=2).astype(np.uint8))
    draw = ImageDraw.Draw(room)
    draw.rectangle((40, 60, 150, 220), fill=(90, 110, 140))
    draw.rectangle((0, 400, 640, 480), fill=(110, 80, 60))
    return room


def _seen(picture: Image.Image, at_s: float) -> Image.Image:
    """As a sensor gives it."""
    noise = _noise()[round(at_s * 5) % 7]
    return Image.fromarray((np.asarray(picture, np.int16) + noise).clip(0, 255).astype(np.uint8))


def _is_speaking(at_s: float) -> bool:
    return any(begin_s <= at_s < end_s for begin_s, end_s in SPEECH_S)


def _head(at_s: float, *, is_speaking: bool | None = None) -> Image.Image:
    """Sways a little all the time, blinks, and moves its mouth when it speaks."""
    speaks = _is_speaking(at_s) if is_speaking is None else is_speaking
    picture = _room().copy()
    draw = ImageDraw.Draw(picture)
    x, y = 320 + 3 * math.sin(at_s * 2.1), 230 + 1.5 * math.sin(at_s * 1.3)
    draw.ellipse((x - 130, y + 110, x + 130, y + 400), fill=(60, 70, 120))
    draw.ellipse((x - 75, y - 100, x + 75, y + 100), fill=(205, 160, 135))
    draw.ellipse((x - 78, y - 108, x + 78, y - 40), fill=(60, 40, 30))
    eye = 1 if at_s % 3.7 < 0.2 else 6
    for side in (-30, 30):
        draw.ellipse((x + side - 10, y - 20 - eye, x + side + 10, y - 20 + eye), fill="white")
    mouth = 9 * abs(math.sin(at_s * 9.7)) + 2 if speaks else 2
    draw.ellipse((x - 26, y + 52 - mouth, x + 26, y + 52 + mouth), fill=(120, 40, 40))
    return picture


def _talking(at_s: float) -> Image.Image:
    return _seen(_head(at_s), at_s)


def _never_pausing(at_s: float) -> Image.Image:
    return _seen(_head(at_s, is_speaking=True), at_s)


def _hand(at_s: float) -> Image.Image:
    picture = _head(at_s)
    for begin_s in _HAND_S:
        up = min((at_s - begin_s) / _HAND_RISES_S, 1.0)
        down = min((at_s - begin_s - _HAND_STAYS_S) / _HAND_RISES_S, 1.0)
        height = up - max(down, 0.0)
        if up > 0 and height > 0:
            y = 480 - 260 * height
            draw = ImageDraw.Draw(picture)
            draw.rectangle((495, y + 40, 525, y + 400), fill=(60, 70, 120))
            draw.ellipse((485, y, 535, y + 60), fill=(205, 160, 135))
    return _seen(picture, at_s)


def _object(at_s: float) -> Image.Image:
    """A cup on the table, there and away again; the last one is small and far from bright."""
    picture = _head(at_s)
    appeared = sum(at_s >= change_s for change_s in _OBJECT_S)
    draw = ImageDraw.Draw(picture)
    if appeared % 2:
        size = 12 if appeared == len(_OBJECT_S) else 40
        draw.rectangle((90, 410 - size, 90 + size, 410), fill=(140, 120, 60))
    return _seen(picture, at_s)


@functools.cache
def _panorama() -> np.ndarray:
    random = np.random.default_rng(5)
    blocks = random.integers(40, 216, (12, 120, 3)).astype(np.uint8)
    return blocks.repeat(40, axis=0).repeat(40, axis=1)


def _moving(at_s: float) -> Image.Image:
    x = round(at_s * 65)
    return _seen(Image.fromarray(_panorama()[:, x : x + CAMERA[0]]), at_s)


CLIPS = (
    Clip(name="static screen", source="screenVideo", frame=_static, target=0.1),
    Clip(name="static screen, cursor and clock", source="screenVideo", frame=_ticking, target=0.1),
    Clip(name="talking head", source="camera", frame=_talking, target=0.4),
    Clip(
        name="talking head that never pauses",
        source="camera",
        frame=_never_pausing,
        speech_s=((0.0, CLIP_S),),
        target=0.4,
    ),
    Clip(name="moving scene", source="camera", frame=_moving),
    Clip(name="a word changes", source="screenVideo", frame=_words, changes_s=_WORD_S),
    Clip(
        name="a sentence is typed",
        source="screenVideo",
        frame=_typing,
        changes_s=tuple(begin_s + (n - 1) / _LETTERS_A_SECOND for begin_s, n in _TYPED_S),
    ),
    Clip(name="slides change", source="screenVideo", frame=_slides, changes_s=_SLIDE_S),
    Clip(
        name="a hand rises",
        source="camera",
        frame=_hand,
        changes_s=tuple(
            begin_s + later_s
            for begin_s in _HAND_S
            for later_s in (_HAND_RISES_S, _HAND_STAYS_S + _HAND_RISES_S)
        ),
    ),
    Clip(name="an object appears", source="camera", frame=_object, changes_s=_OBJECT_S),
)
