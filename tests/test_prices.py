"""What models cost: ours, with a date and a source each, and the user's own before them."""

import datetime
from pathlib import Path

import pytest
import yaml

from pipeline.costs import ModelPrices
from pipeline.prices import PRICES_FILE, PricesError, load_prices
from pipeline.settings import Settings, SettingsError

MODEL = "gemini-3.8-live"


def test_each_figure_that_is_shipped_has_a_source_and_the_file_a_date():
    shipped = yaml.safe_load(PRICES_FILE.read_text())
    assert isinstance(shipped["dated"], datetime.date)
    assert all(model["source"] for model in shipped["models"].values())


def test_the_model_that_answers_unless_another_is_chosen_has_every_price():
    prices = load_prices(Settings.model_fields["model"].default)
    assert None not in prices.by_kind().values()
    assert load_prices(f"models/{MODEL}") == prices


def test_a_model_that_is_not_in_the_file_costs_nobody_knows_what():
    assert load_prices("gemini-99-live") == ModelPrices()


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(f"dated: 2026-11-01\nmodels:\n{text}")
    return path


def test_ones_own_figures_go_before_and_the_others_stay(tmp_path):
    ours = load_prices(MODEL)
    prices = load_prices(MODEL, override=write(tmp_path, f"  {MODEL}: {{audio_out: 6}}"))
    assert prices.audio_out == 6 and prices.audio_in == ours.audio_in


def test_ones_own_file_can_add_a_model_and_can_say_that_a_price_is_unknown(tmp_path):
    path = write(tmp_path, f"  mine: {{text_in: 1}}\n  {MODEL}: {{image_in: null}}")
    assert load_prices("mine", override=path) == ModelPrices(text_in=1)
    assert load_prices(MODEL, override=path).image_in is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"  {MODEL}: {{audio_in: -1}}", f"models.{MODEL}.audio_in: Input should be greater"),
        (f"  {MODEL}: {{audio_in: .inf}}", f"models.{MODEL}.audio_in: Input should be"),
        (f"  {MODEL}: {{audio_in: cheap}}", f"models.{MODEL}.audio_in: Input should be a valid"),
        (f"  {MODEL}: {{audio_in: true}}", f"models.{MODEL}.audio_in: Input should be a valid"),
        (f"  {MODEL}: {{audoi_in: 1}}", f"models.{MODEL}.audoi_in: Extra inputs"),
        (f"  {MODEL}: 7", f"models.{MODEL}: Input should be"),
        ("  a: {text_in: 1}\n b: {", "line 4 are not YAML"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_it_and_where(tmp_path, text, wrong):
    with pytest.raises(PricesError) as error:
        load_prices(MODEL, override=write(tmp_path, text))
    sentence = str(error.value)
    assert sentence.startswith(f"The prices in {tmp_path / 'mine.yaml'}")
    assert wrong in sentence and "\n" not in sentence


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "can't be read: No such file or directory."),
        (b"\xff\xfe\x00", "can't be read: it is not UTF-8."),
        (b"", "can't be used: Input should be"),
        (b"models: {}", "can't be used: dated: Field required."),
        (b"dated: yesterday\nmodels: {}", "can't be used: dated: Input should be a valid date."),
    ],
)
def test_a_file_that_is_none_is_a_setting_that_can_not_be_used(tmp_path, content, wrong):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load_prices(MODEL, override=path)
    assert str(error.value).endswith(wrong) or wrong in str(error.value)
    assert "\n" not in str(error.value)
