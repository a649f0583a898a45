"""Pictures that somebody might send: good ones, odd ones, and ones that are made to do harm.

All of it is made here, from a few bytes each; nothing is stored.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.picture_decoder import NotAPictureError, PictureError, PictureTooLargeError

PLACE = b"Brandenburg Gate 52.5163N 13.3777E"
"""Is in the metadata of the pictures that tell where they were taken."""

SCRIPT = b"<script>alert(document.cookie)</script>"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One file.

    Parameters:
        make: Its content.
        refused: How it is refused; None when it becomes a picture.
        sentence: A part of what the user is told then.
    """

    make: Callable[[], bytes]
    refused: type[PictureError] | None = None
    sentence: str = ""


def saved(image: Image.Image, format: str, **options) -> bytes:
    """An image as a file of that format."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def noise(format: str, size: tuple[int, int] = (96, 64), **options) -> bytes:
    """A picture that does not compress."""
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return saved(Image.fromarray(pixels), format, **options)


def quarters() -> Image.Image:
    """Upright it is red at the top left, green at the top right, blue at the bottom left."""
    image = Image.new("RGB", (80, 48), "white")
    for color, corner in (("red", (0, 0)), ("lime", (40, 0)), ("blue", (0, 24))):
        image.paste(color, (*corner, corner[0] + 40, corner[1] + 24))
    return image


# --- PNG by hand ------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(count: int) -> bytes:
    """A zlib stream that becomes so many zeros: a thousandth of them, made in no time.

    One megabyte of them is compressed once, ends on a byte, and is repeated.
    """
    piece_bytes = 2**20
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(bytes(piece_bytes)) + compressor.flush(zlib.Z_FULL_FLUSH)
    pieces, rest = divmod(count, piece_bytes)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    end = compressor.compress(bytes(rest)) + compressor.flush()
    adler = (count % 65521) << 16 | 1
    return b"\x78\xda" + piece * pieces + end + struct.pack(">I", adler)


def black_png(width: int, height: int, *, before: bytes = b"", lines: int | None = None) -> bytes:
    """A PNG of 8 bits of grey, which really decodes to that.

    Args:
        width: In pixels.
        height: In pixels.
        before: Chunks in front of the pixels.
        lines: How many there are; by default as many as there should be.
    """
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zeros((height if lines is None else lines) * (1 + width)))
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + chunk(b"IEND", b"")


# --- Others, with another header ----------------------------------------------------------------


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose header says another size."""
    jpeg = bytearray(noise("JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def black_webp(width: int, height: int) -> bytes:
    """A lossless WebP of one colour: 34 bytes, whatever its size, and it really decodes to that."""
    webp = bytearray(saved(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    at = webp.index(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", webp, at)
    size = (width - 1) | (height - 1) << 14
    struct.pack_into("<I", webp, at, bits & ~0xFFFFFFF | size)
    return bytes(webp)


def gif(screen: tuple[int, int], frame: tuple[int, int], *, frames: int = 1) -> bytes:
    """A GIF of red pixels, of which only the first are there."""
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\xff\x00\x00\x00\x00\x00"
    block = b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00"
    return head + block * frames + b";"


def slow_jpeg(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there many times: each goes over all its pixels."""
    jpeg = saved(Image.new("L", (7000, 7000), 77), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * scans + jpeg[-2:]


# --- Metadata -----------------------------------------------------------------------------------


def place_exif(orientation: int | None = None) -> Image.Exif:
    """Where it was taken, as a phone writes it."""
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    exif[0x010E] = PLACE.decode()  # ImageDescription
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 58.7), 3: "E", 4: (13.0, 22.0, 39.7)})
    exif.get_ifd(0x8825)[27] = b"ASCII\0\0\0" + PLACE  # GPSProcessingMethod
    return exif


def placed(format: str) -> bytes:
    """A picture with its place in all kinds of metadata that its format has."""
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + PLACE + b"</x:xmpmeta>"
    options: dict = {"exif": place_exif(), "xmp": xmp, "comment": PLACE}
    if format == "PNG":
        before = chunk(b"tEXt", b"Location\0" + PLACE) + chunk(b"eXIf", place_exif().tobytes()[6:])
        return black_png(20, 20, before=before + chunk(b"zTXt", b"L\0\0" + zlib.compress(PLACE)))
    file = saved(quarters(), format, **(options if format != "GIF" else {"comment": PLACE}))
    if format == "JPEG":
        iptc = b"\xff\xed" + struct.pack(">H", 2 + 14 + len(PLACE)) + b"Photoshop 3.0\0" + PLACE
        return file[:2] + iptc + file[2:]
    return file


def turned(orientation: int) -> bytes:
    """`quarters` as a camera that was held otherwise stores it."""
    back = {
        1: (),
        2: (Image.Transpose.FLIP_LEFT_RIGHT,),
        3: (Image.Transpose.ROTATE_180,),
        4: (Image.Transpose.FLIP_TOP_BOTTOM,),
        5: (Image.Transpose.TRANSPOSE,),
        6: (Image.Transpose.ROTATE_90,),
        7: (Image.Transpose.TRANSVERSE,),
        8: (Image.Transpose.ROTATE_270,),
    }
    image = quarters()
    for step in back[orientation]:
        image = image.transpose(step)
    return saved(image, "JPEG", quality=95, exif=place_exif(orientation))


def looping_exif(format: str) -> bytes:
    """Metadata in which each directory names itself as its parent, its child and the next."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    gps = struct.pack("<HHII", 0x8825, 4, 1, 8)
    directory = struct.pack("<H", 2) + entry + gps + struct.pack("<I", 8)
    return saved(quarters(), format, exif=b"Exif\0\0II*\0\x08\0\0\0" + directory)


def animated(format: str) -> bytes:
    """Red first, then blue."""
    first, second = (Image.new("RGB", (40, 30), color) for color in ("red", "blue"))
    lossless = {"lossless": True} if format == "WEBP" else {}
    return saved(first, format, save_all=True, append_images=[second], **lossless)


# --- The corpus ---------------------------------------------------------------------------------

_MANY = "too many pixels"
_LARGE: dict = {"refused": PictureTooLargeError, "sentence": _MANY}
_NONE: dict = {"refused": NotAPictureError, "sentence": "not a JPEG, PNG, WebP or GIF"}
_BROKEN: dict = {"refused": PictureError, "sentence": "broken"}

BOMBS = {
    "png-50000": Sample(make=lambda: black_png(50_000, 50_000), **_LARGE),
    "png-wide": Sample(make=lambda: black_png(2**31 - 1, 1, lines=0), **_LARGE),
    "png-49-megapixels": Sample(make=lambda: black_png(7000, 7000)),
    "png-endless": Sample(make=lambda: black_png(100, 100, lines=10_000_000)),
    "webp-16384": Sample(make=lambda: black_webp(16_384, 16_384), **_LARGE),
    "webp-49-megapixels": Sample(
        make=lambda: black_webp(7000, 7000),
        refused=PictureTooLargeError,
        sentence="too much memory",
    ),
    "gif-65535": Sample(make=lambda: gif((65_535, 65_535), (1, 1)), **_LARGE),
    "gif-frame-larger-than-screen": Sample(make=lambda: gif((1, 1), (65_535, 65_535)), **_LARGE),
    "gif-50000-frames": Sample(make=lambda: gif((1, 1), (1, 1), frames=50_000)),
    "jpeg-65500": Sample(make=lambda: jpeg_of_size(65_500, 65_500), **_LARGE),
    "jpeg-49-megapixels": Sample(make=lambda: jpeg_of_size(7000, 7000)),
    "png-text": Sample(
        make=lambda: black_png(9, 9, before=chunk(b"zTXt", b"a\0\0" + zeros(2**31))), **_BROKEN
    ),
    "png-texts": Sample(
        make=lambda: black_png(9, 9, before=chunk(b"zTXt", b"a\0\0" + zeros(2**20)) * 200),
        **_BROKEN,
    ),
    "png-colour-profile": Sample(
        make=lambda: black_png(9, 9, before=chunk(b"iCCP", b"a\0\0" + zeros(2**31))), **_BROKEN
    ),
    "png-long-text": Sample(
        make=lambda: black_png(9, 9, before=chunk(b"tEXt", b"a\0" + b"x" * 15_000_000))
    ),
    "jpeg-metadata-goes-round": Sample(make=lambda: looping_exif("JPEG")),
    "webp-metadata-goes-round": Sample(make=lambda: looping_exif("WEBP")),
    "bytes": Sample(
        make=lambda: noise("PNG") + bytes(20 * 2**20),
        refused=PictureTooLargeError,
        sentence="20 MB is the most",
    ),
}
"""Files that want more than they are."""

ODD = {
    "empty": Sample(make=lambda: b"", **_NONE),
    "one-byte": Sample(make=lambda: b"\xff", **_NONE),
    "text": Sample(make=lambda: b"hello", **_NONE),
    "html": Sample(make=lambda: b"<!doctype html>" + SCRIPT, **_NONE),
    "svg": Sample(make=lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", **_NONE),
    "svg-with-entities": Sample(
        make=lambda: b"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>",
        **_NONE,
    ),
    "pdf": Sample(make=lambda: b"%PDF-1.7", **_NONE),
    "postscript": Sample(
        make=lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", **_NONE
    ),
    "bmp": Sample(make=lambda: noise("BMP"), **_NONE),
    "tiff": Sample(make=lambda: noise("TIFF"), **_NONE),
    "png-signature": Sample(make=lambda: noise("PNG")[:8], **_NONE),
    "png-0x0": Sample(make=lambda: black_png(0, 0), **_NONE),
    "jpeg-0x0": Sample(make=lambda: jpeg_of_size(0, 0), **_NONE),
    "gif-0x0": Sample(make=lambda: gif((0, 0), (0, 0)), **_NONE),
    "png+html": Sample(make=lambda: noise("PNG") + b"<html>" + SCRIPT),
    "jpeg+zip": Sample(
        make=lambda: noise("JPEG") + b"PK\x03\x04" + SCRIPT + b"PK\x05\x06" + bytes(18)
    ),
    "gif+script": Sample(make=lambda: saved(quarters(), "GIF", comment=b"*/=1;" + SCRIPT)),
    "html-in-jpeg-comment": Sample(make=lambda: saved(quarters(), "JPEG", comment=SCRIPT)),
    "cmyk": Sample(make=lambda: saved(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG")),
    "grey-16-bits": Sample(
        make=lambda: saved(Image.fromarray(np.full((30, 40), 1 << 15, np.uint16)), "PNG")
    ),
    "one-pixel": Sample(make=lambda: saved(Image.new("1", (1, 1)), "PNG")),
    "one-line": Sample(make=lambda: black_png(30_000, 1)),
}
"""Files that are something else, or several things, or hardly anything."""
