"""What models cost: read from a file with a date, and from one of the user's that goes before it."""

import datetime
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.costs import ModelPrices
from pipeline.settings import ROOT, SettingsError
from pipeline.yaml_files import load_yaml

PRICES_FILE = ROOT / "pipeline" / "prices.yaml"

_Dollars = Annotated[float | None, Field(ge=0, le=10_000, allow_inf_nan=False)]


class PricesError(SettingsError):
    """A file of prices can't be used; the message is one sentence for the user."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: str = ""
    text_in: _Dollars = None
    audio_in: _Dollars = None
    image_in: _Dollars = None
    text_out: _Dollars = None
    audio_out: _Dollars = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dated: datetime.date
    models: dict[str, _Model]


def load_prices(model: str, *, override: Path | None = None) -> ModelPrices:
    """Find what a model costs.

    Args:
        model: As the API names it, with or without `models/`.
        override: A file whose figures go before ours; `null` in it makes one unknown.

    Raises:
        PricesError: The file can't be used: which, where, and why.
    """
    name = model.removeprefix("models/")
    prices: dict[str, float | None] = {}
    for path in (PRICES_FILE, override):
        if path and (found := _read(path).models.get(name)):
            prices |= found.model_dump(exclude_unset=True, exclude={"source"})
    return ModelPrices(**prices)


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(load_yaml(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise PricesError(f"The prices in {path} can't be read: {why}.") from None
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = f" line {at.line + 1}" if at else ""
        raise PricesError(f"The prices in {path}{line} are not YAML.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ": " + ".".join(map(str, first["loc"])) if first["loc"] else ""
        raise PricesError(f"The prices in {path} can't be used{where}: {first['msg']}.") from None
