"""The messages of the Live API, ready to be read and written.

The SDK's models build their validators at first use: 0.1 to 0.3 s of a busy event loop in the first
seconds of a call, and megabytes that each process of a session would have for itself.
"""

from collections.abc import Iterator
from typing import Any, get_args

from google.genai import types
from pydantic import BaseModel

_ROOTS = (
    types.LiveConnectParameters,
    types.LiveServerMessage,
    types.LiveClientMessage,
    types.LiveSendRealtimeInputParameters,
    types.UserContent,
)


def build_models() -> set[type[BaseModel]]:
    """Build all models that messages are made of: a hundred, in 0.2 s.

    Returns:
        Those models.
    """
    built: set[type[BaseModel]] = set()
    left: list[type[BaseModel]] = list(_ROOTS)
    while left:
        model = left.pop()
        if model not in built:
            built.add(model)
            model.model_rebuild()
            for field in model.model_fields.values():
                left.extend(_models_in(field.annotation))
    return built


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
