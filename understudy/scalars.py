"""Proto-JSON scalars: what the Live API accepts for a string, number, boolean or base64 field.

Each converter takes a parsed JSON value and returns the Python value, or raises `ValueError`.
The rules are those of proto JSON as clients rely on them: numbers may be strings
(`"25600"`), integers may be floats without a fraction (`40.0`), and bytes come in either base64
alphabet with or without padding (google-genai for Python sends the URL-safe one, for
JavaScript the standard one).
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Callable

MAX_DEPTH = 64
"""Nesting at which a message, or a free-form value in it, is refused; the deepest message any SDK
sends is under 20."""
_URL_SAFE = str.maketrans("-_", "+/")
_DECODE_STEP = 262_144
"""Characters decoded per call, a multiple of 4. Decoding holds the interpreter lock for
about 6 ms per MiB, so a picture decoded in a worker thread must not be decoded in one go."""


def to_string(value: object) -> str:
    """Returns a string field's value, with lone surrogates replaced."""
    if not isinstance(value, str):
        raise ValueError("not a string")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def to_bool(value: object) -> bool:
    """Returns a boolean field's value."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("not a boolean")


def to_float(value: object) -> float:
    """Returns a finite float field's value."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("out of range") from error
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def to_int(value: object) -> int:
    """Returns an integer field's value, 64 bits wide."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) <= 20:
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        exact = to_float(value)
        if exact != math.floor(exact):
            raise ValueError("not an integer")
        number = int(exact)
    if not -(2**63) <= number < 2**63:
        raise ValueError("out of range")
    return number


def to_bytes(value: object) -> bytes:
    """Returns a bytes field's value from either base64 alphabet, padded or not."""
    if not isinstance(value, str) or not value.isascii():
        raise ValueError("not base64")
    text = value.rstrip("=")
    if "-" in text or "_" in text:
        text = text.translate(_URL_SAFE)
    text += "=" * (-len(text) % 4)
    try:
        if len(text) <= _DECODE_STEP:
            return binascii.a2b_base64(text, strict_mode=True)
        return b"".join(
            binascii.a2b_base64(text[start : start + _DECODE_STEP], strict_mode=True)
            for start in range(0, len(text), _DECODE_STEP)
        )
    except binascii.Error as error:
        raise ValueError("not base64") from error


def to_any(value: object, depth: int = 0) -> object:
    """Returns a free-form JSON value that can be written as JSON again.

    Python's parser takes more than JSON: NaN, lone surrogates and integers of any length. What
    came in as the default of a parameter goes out as an argument.
    """
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return to_string(value)
    if isinstance(value, list):
        return [to_any(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {to_string(name): to_any(item, depth + 1) for name, item in value.items()}
    if isinstance(value, float) or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        return to_float(value)
    return value


def to_struct(value: object) -> dict[str, object]:
    """Returns a free-form JSON object, its values as `to_any` does."""
    struct = to_any(value)
    if not isinstance(struct, dict):
        raise ValueError("not an object")
    return struct


CONVERTERS: dict[str, tuple[str, Callable[[object], object]]] = {
    "string": ("TYPE_STRING", to_string),
    "bool": ("TYPE_BOOL", to_bool),
    "int": ("TYPE_INT64", to_int),
    "float": ("TYPE_FLOAT", to_float),
    "bytes": ("TYPE_BYTES", to_bytes),
    "any": ("google.protobuf.Value", to_any),
    "struct": ("google.protobuf.Struct", to_struct),
}
"""Scalar name in the schema's table -> (name in the service's error text, converter)."""
