"""Films on which nothing was tuned: other type, other colours, other ways to move.

They were drawn after the detector's figures were chosen, and are not for choosing any by.
"""

import functools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.clips import CAMERA, SCREEN, Clip

_SOURCE = "for name in sorted(names): total += prices.get(name, 0) * amounts[name]".split()
_MENU = "open save print export undo redo share close".split()
_TYPED_S, _LETTERS_A_SECOND = ((6.0, 23), (24.0, 1), (33.3, 35), (50.5, 6)), 3.3
_RENAMED_S = (14.4, 29.9, 46.3)
_SMALL_WORD_S = (3.3, 11.1, 18.7, 26.4, 39.2, 51.8)
_SCROLLED_S, _SCROLLS_S, _SCROLL_PX = (5.2, 9.0, 17.4, 18.6, 33.3, 48.8), 0.3, 130
_FILM_WORD_S = (10.3, 25.6, 44.4)
_DONE_S, _ASKED_S = 43.0, 52.6
_HAND_S, _COMES_S, _STAYS_S = (6.6, 19.3, 37.5, 49.1), 0.8, 2.5
_MENU_S, _MENU_STAYS_S = (12.4, 37.7), 4.0


@functools.cache
def _font(size: int):
    return ImageFont.load_default(size=size)


def _seen(change_s: tuple[float, ...], at_s: float) -> int:
    return sum(at_s >= s for s in change_s)


@functools.cache
def _text(size: int, paper: str, ink: str, words: tuple[str, ...], changed: int = 0) -> Image.Image:
    """A screen full of text; its tenth line's fourth word has several versions."""
    page = Image.new("RGB", SCREEN, paper)
    draw = ImageDraw.Draw(page)
    high, wide = round(size * 1.8), round(size * 6.5)
    for line in range(SCREEN[1] // high - 3):
        for column in range(SCREEN[0] // wide - 1):
            word = words[(line * 3 + column * 5) % len(words)]
            if (line, column) == (9, 3):
                word = words[changed % len(words)]
            draw.text((wide // 2 + column * wide, high + line * high), word, ink, _font(size))
    return page


# --- screens ---------------------------------------------------------------------------------------


def _editor(at_s: float) -> Image.Image:
    """Light on dark, with a clock, a cursor that blinks, and somebody who types at it."""
    letters = [
        min(max(math.ceil((at_s - begin_s) * _LETTERS_A_SECOND), 0), letters)
        for begin_s, letters in _TYPED_S
    ]
    page = _text(18, "#1e1e1e", "#d4d4d4", tuple(_SOURCE), _seen(_RENAMED_S, at_s)).copy()
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 1010, 1920, 1080), fill="#252526")
    typed = (" ".join(_SOURCE) * 3)[: sum(letters)]
    draw.text((60, 1020), typed, "#9cdcfe", _font(18))
    if at_s % 1.0 < 0.5:
        x = 60 + draw.textlength(typed, _font(18))
        draw.rectangle((x + 1, 1021, x + 2, 1039), fill="#d4d4d4")
    draw.text((1800, 1050), f"21:07:{int(at_s):02}", "#cccccc", _font(16))
    return page


def _small_type(at_s: float) -> Image.Image:
    words = ("0.71", "1.94", "12.6", "8.03", "3.38", "75.2", "6.66", "4.10", "9.25")
    return _text(11, "#ffffff", "#444444", words, _seen(_SMALL_WORD_S, at_s))


@functools.cache
def _long_page() -> Image.Image:
    screen = _text(15, "#fffdf5", "#202020", tuple(_MENU + _SOURCE))
    page = Image.new("RGB", (SCREEN[0], SCREEN[1] * 2), "#fffdf5")
    page.paste(screen)
    page.paste(screen.crop((0, 200, SCREEN[0], SCREEN[1])), (300, SCREEN[1]))
    return page


def _scroll(at_s: float) -> Image.Image:
    y = sum(
        _SCROLL_PX * min(max((at_s - begin_s) / _SCROLLS_S, 0.0), 1.0) for begin_s in _SCROLLED_S
    )
    return _long_page().crop((0, round(y), SCREEN[0], round(y) + SCREEN[1]))


@functools.cache
def _scenery() -> Image.Image:
    random = np.random.default_rng(8)
    blocks = random.integers(20, 236, (6, 200, 3)).astype(np.uint8)
    return Image.fromarray(blocks.repeat(60, axis=0).repeat(30, axis=1))


def _film(at_s: float) -> Image.Image:
    """A film in a window, and a word that changes outside it."""
    page = _text(16, "#f0f0f0", "#101010", tuple(_MENU), _seen(_FILM_WORD_S, at_s)).copy()
    x = round(at_s * 70)
    page.paste(_scenery().crop((x, 0, x + 640, 360)), (1160, 600))
    return page


def _progress(at_s: float) -> Image.Image:
    """A bar that fills, then a word that says so, then a question."""
    page = _text(16, "#e8eef4", "#304050", tuple(_MENU)).copy()
    draw = ImageDraw.Draw(page)
    done = min(at_s / _DONE_S, 1.0)
    draw.rectangle((560, 480, 1360, 600), fill="#ffffff", outline="#8090a0")
    draw.rectangle((580, 540, 580 + round(760 * done), 560), fill="#3070d0")
    text = "Finished." if done == 1 else f"{round(100 * done)} %"
    draw.text((580, 500), text, "#304050", _font(20))
    if at_s >= _ASKED_S:
        draw.text((1180, 570), "Restart now?", "#304050", _font(20))
    return page


def _pointer(at_s: float) -> Image.Image:
    """A pointer that wanders over a page, and opens a menu now and then."""
    page = _text(16, "#ffffff", "#000000", tuple(_SOURCE)).copy()
    draw = ImageDraw.Draw(page)
    for begin_s in _MENU_S:
        if begin_s <= at_s < begin_s + _MENU_STAYS_S:
            draw.rectangle((300, 200, 480, 440), fill="#f4f4f4", outline="#909090")
            for line, word in enumerate(_MENU):
                draw.text((320, 210 + line * 28), word, "#000000", _font(16))
    x, y = 900 + 500 * math.sin(at_s * 0.7), 500 + 300 * math.sin(at_s * 1.1)
    draw.polygon([(x, y), (x, y + 17), (x + 12, y + 12)], fill="black", outline="white")
    return page


# --- cameras ---------------------------------------------------------------------------------------


@functools.cache
def _evening() -> np.ndarray:
    """A dark room with a bookcase, 640 x 480."""
    random = np.random.default_rng(21)
    room = np.full((CAMERA[1], CAMERA[0], 3), (46, 40, 52), np.int16)
    for shelf in range(4):
        for book in range(14):
            x, y = 380 + book * 18, 30 + shelf * 90
            room[y : y + 70, x : x + 15] = random.integers(25, 110, 3)
    return room


@functools.cache
def _grain() -> list[np.ndarray]:
    random = np.random.default_rng(4)
    return [random.normal(0, 4, (CAMERA[1], CAMERA[0], 3)).astype(np.int16) for _ in range(5)]


def _hand_from_the_left(at_s: float) -> Image.Image:
    """Somebody with dark skin in the dark, whose hand comes in from the side."""
    picture = Image.fromarray(_evening().astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    skin = (92, 62, 46)
    x, y = 270 + 4 * math.sin(at_s * 1.7), 240 + 2 * math.sin(at_s * 0.9)
    draw.ellipse((x - 120, y + 100, x + 120, y + 380), fill=(120, 60, 50))
    draw.ellipse((x - 70, y - 95, x + 70, y + 95), fill=skin)
    for side in (-28, 28):
        open_px = 1 if (at_s + 1) % 4.3 < 0.2 else 5
        draw.ellipse((x + side - 9, y - 18 - open_px, x + side + 9, y - 18 + open_px), "white")
    for begin_s in _HAND_S:
        came = min((at_s - begin_s) / _COMES_S, 1.0)
        went = min(max((at_s - begin_s - _STAYS_S) / _COMES_S, 0.0), 1.0)
        reach = 150 * (came - went)
        if came > 0 and reach > 0:
            draw.rectangle((reach - 160, 330, reach - 30, 365), fill=(120, 60, 50))
            draw.ellipse((reach - 55, 318, reach, 376), fill=skin)
    grain = _grain()[round(at_s * 5) % 5]
    return Image.fromarray((np.asarray(picture, np.int16) + grain).clip(0, 255).astype(np.uint8))


UNSEEN = (
    Clip(
        name="editor, light on dark, with cursor and clock",
        source="screenVideo",
        frame=_editor,
        changes_s=(
            *_RENAMED_S,
            *(begin_s + (n - 1) / _LETTERS_A_SECOND for begin_s, n in _TYPED_S),
        ),
    ),
    Clip(
        name="a figure changes in 11 px type",
        source="screenVideo",
        frame=_small_type,
        changes_s=_SMALL_WORD_S,
    ),
    Clip(
        name="a page scrolls",
        source="screenVideo",
        frame=_scroll,
        changes_s=tuple(begin_s + _SCROLLS_S for begin_s in _SCROLLED_S),
    ),
    Clip(
        name="a film in a window, words beside it",
        source="screenVideo",
        frame=_film,
        changes_s=_FILM_WORD_S,
    ),
    Clip(
        name="a progress bar",
        source="screenVideo",
        frame=_progress,
        changes_s=(_DONE_S, _ASKED_S),
    ),
    Clip(
        name="a pointer wanders and opens a menu",
        source="screenVideo",
        frame=_pointer,
        changes_s=tuple(s + later_s for s in _MENU_S for later_s in (0.0, _MENU_STAYS_S)),
    ),
    Clip(
        name="in the dark a hand comes in from the left",
        source="camera",
        frame=_hand_from_the_left,
        changes_s=tuple(
            begin_s + later_s for begin_s in _HAND_S for later_s in (_COMES_S, _STAYS_S + _COMES_S)
        ),
    ),
)
