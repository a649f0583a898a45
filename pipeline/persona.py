"""Who the bot is: a persona is one Markdown file, its front matter the data, its body the text."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from pipeline.persona_picture import PICTURE_NAME, PictureError, read_picture
from pipeline.settings import ROOT
from pipeline.video_limits import VideoLimits
from pipeline.yaml_files import load_yaml

PERSONAS_DIR = ROOT / "personas"

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PersonaError(Exception):
    """A persona is unknown or its file is wrong; the message is one sentence for the user."""


class Introduction(BaseModel):
    """A persona in another language, on the page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)


class Persona(BaseModel):
    """What a persona file says.

    Parameters:
        name: The file's name without `.md`; what `/start` chooses by.
        title: Shown on the page.
        summary: One line, shown on the page.
        translations: Both in other languages, by the page's code for them, such as `zh`.
        picture: Its portrait, shown on the page: the name of a file beside this one.
        voice: One of the model's voices, such as `Charon`.
        search: Whether the model may search with Google, which is billed, and with a free key
            may end in a refusal (1011).
        greeting: What the model is told to do first; without it the user speaks first.
        video: How much of camera and screen the model is shown; what is left out has a default.
        time_limit_s: When the session ends, in seconds; without it, never.
        warn_before_s: How long before that it is told; without it, a minute before, or a tenth of
            the time if that is less. 0: it is not told.
        idle_limit_s: When it ends if nobody speaks, types or shows a picture; null: never.
        token_limit: When it ends by tokens: all that are billed, which is the whole context again
            with each turn. It is told at four fifths. Without it, never.
        cost_limit_usd: When it ends by what it costs, in US dollars; likewise.
        phone_headers: Names of SIP headers, such as `X-Customer`, whose values the model is told when
            a call brings them. They come from whoever carries the call: never trust them more than
            what the caller says.
        instruction: The system instruction.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    translations: dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], Introduction] = {}
    picture: str | None = Field(default=None, pattern=PICTURE_NAME)
    voice: str = Field(default="Charon", min_length=1)
    search: bool = False
    greeting: str | None = None
    video: VideoLimits = VideoLimits()
    time_limit_s: _Positive | None = None
    warn_before_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    idle_limit_s: _Positive | None = 300.0
    token_limit: int | None = Field(default=None, gt=0)
    cost_limit_usd: _Positive | None = None
    phone_headers: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]] = []
    instruction: str = Field(min_length=1)

    @field_validator("warn_before_s")
    @classmethod
    def _is_before_the_end(cls, warn_before_s: float | None, info: ValidationInfo) -> float | None:
        limit_s = info.data.get("time_limit_s")
        if warn_before_s is not None and limit_s is not None and warn_before_s >= limit_s:
            raise ValueError(f"must be less than time_limit_s, which is {limit_s:g}")
        return warn_before_s


def load_persona(name: str, *, folder: Path = PERSONAS_DIR) -> Persona:
    """Read one persona.

    Raises:
        PersonaError: When there is none of that name (the names that there are follow), or its
            file can't be used (where, and why).
    """
    names = persona_names(folder=folder)
    if name not in names:
        raise PersonaError(f"There is no persona {name!r}; there are: {', '.join(names)}.")
    return _parse(folder / f"{name}.md")


def load_personas(*, folder: Path = PERSONAS_DIR) -> list[Persona]:
    """Read all personas, in the order of their names.

    Raises:
        PersonaError: When a file can't be used.
    """
    return [_parse(folder / f"{name}.md") for name in persona_names(folder=folder)]


def persona_names(*, folder: Path = PERSONAS_DIR) -> list[str]:
    """The names that `/start` may choose."""
    return sorted(path.stem for path in folder.glob("*.md"))


def _parse(path: Path) -> Persona:
    where = f"personas/{path.name}"
    opening, fence, rest = path.read_text(encoding="utf-8").partition("---\n")
    front_matter, closing, body = rest.partition("\n---\n")
    if opening.strip() or not fence or not closing:
        raise PersonaError(f"{where} must begin with front matter between two lines of '---'.")
    try:
        data = load_yaml(front_matter)
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = f" line {at.line + 2}" if at else ""
        raise PersonaError(f"{where}{line} is not YAML: {error.__class__.__name__}.") from None
    if not isinstance(data, dict):
        raise PersonaError(f"{where} must have fields such as 'title: ...' in its front matter.")
    try:
        persona = Persona.model_validate({**data, "name": path.stem, "instruction": body.strip()})
        if persona.picture:
            read_picture(path.parent / persona.picture)
    except PictureError as error:
        raise PersonaError(f"{where}: picture: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise PersonaError(f"{where}: {field}: {first['msg']}.") from None
    return persona
