"""Who the bot is: a persona is one Markdown file, its front matter the data, its body the text."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.settings import ROOT
from pipeline.video_limits import VideoLimits

PERSONAS_DIR = ROOT / "personas"


class PersonaError(Exception):
    """A persona is unknown or its file is wrong; the message is one sentence for the user."""


class Persona(BaseModel):
    """What a persona file says.

    Parameters:
        name: The file's name without `.md`; what `/start` chooses by.
        title: Shown on the page.
        summary: One line, shown on the page.
        voice: One of the model's voices, such as `Charon`.
        greeting: What the model is told to do first; without it the user speaks first.
        video: How much of camera and screen the model is shown; what is left out has a default.
        time_limit_s: When the session ends, in seconds; without it, never.
        instruction: The system instruction.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    voice: str = Field(default="Charon", min_length=1)
    greeting: str | None = None
    video: VideoLimits = VideoLimits()
    time_limit_s: float | None = Field(default=None, gt=0)
    instruction: str = Field(min_length=1)


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
        data = yaml.safe_load(front_matter)
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = f" line {at.line + 2}" if at else ""
        raise PersonaError(f"{where}{line} is not YAML: {error.__class__.__name__}.") from None
    if not isinstance(data, dict):
        raise PersonaError(f"{where} must have fields such as 'title: ...' in its front matter.")
    try:
        return Persona.model_validate({**data, "name": path.stem, "instruction": body.strip()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise PersonaError(f"{where}: {field}: {first['msg']}.") from None
