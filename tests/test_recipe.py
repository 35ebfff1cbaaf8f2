"""Recipe: what makes no sense is refused in one line; a digest moves with what it covers."""

import pytest

from pipeline.errors import BadRequest
from pipeline.recipe import Part, Recipe, digest, read_recipe


def test_only_a_style_must_be_named() -> None:
    recipe = read_recipe({"style": "starry"})
    assert recipe == Recipe(style="starry")
    assert (recipe.keys, recipe.max_gap, recipe.strength, recipe.crf) == ("auto", 12, 1.0, 16)


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ({"strength": 1.5}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"strength": "2s:0,1s:1"}, "strength"),
        ({"keep_color": 1.1}, "keep_color"),
        ({"keys": 0}, "keys"),
        ({"keys": "often"}, "keys"),
        ({"crf": 52}, "crf"),
        ({"codec": "divx"}, "codec"),
        ({"codec": "prores", "crf": 20}, "crf"),
        ({"codec": "vp9", "crf": 64}, "crf"),
        ({"rho": -0.1}, "rho"),
        ({"flicker_budget": 0}, "flicker_budget"),
        ({"frames": (5, 5)}, "frames"),
        ({"frames": (-1, 5)}, "frames"),
        ({"colour": "red"}, "colour"),
        ({"style": ""}, "style"),
        ({"style_scale": 63}, "style_scale"),
        ({"style_scale": "huge"}, "style_scale"),
        ({"structure": 1.5}, "structure"),
        ({"statistics": "film"}, "statistics"),
        ({"statistics": "frame"}, "statistics"),
        ({"size": "L"}, "size"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(setting: dict[str, object], name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_recipe({"style": "starry"} | setting)
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


def test_two_wrong_settings_are_both_named() -> None:
    with pytest.raises(BadRequest, match=r"strength: .*2.*; crf: .*99"):
        read_recipe({"style": "starry", "strength": 2, "crf": 99})


def test_a_recipe_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe(style="starry").crf = 3


def test_a_digest_moves_only_with_the_fields_of_its_parts() -> None:
    plain = Recipe(style="starry")
    half = Recipe(style="starry", strength=0.5)
    assert digest(plain, "plan", "paint") == digest(half, "plan", "paint")
    assert digest(plain, "fill") != digest(half, "fill")
    assert digest(plain, "fill", "paint") == digest(plain, "paint", "fill")
    part = Recipe(style="starry", frames=(3, 9))
    every: tuple[Part, ...] = ("plan", "paint", "fill", "encode")
    assert digest(plain, *every) == digest(part, *every)


def test_every_frame_is_painted_when_keys_are_one_apart() -> None:
    assert Recipe(style="starry", keys=1).every_frame
    assert not Recipe(style="starry").every_frame


@pytest.mark.parametrize(
    "change", [{"style_scale": 360}, {"structure": 0.5}, {"statistics": "frame"}, {"size": "M"}]
)
def test_what_the_net_works_with_is_measured_and_painted_anew(change: dict[str, object]) -> None:
    plain, other = Recipe(style="starry", keys=1), read_recipe({"style": "s", "keys": 1} | change)
    assert digest(plain, "measure") != digest(other, "measure")
    assert digest(plain, "paint") != digest(other, "paint")
    assert digest(plain, "plan", "fill", "encode") == digest(other, "plan", "fill", "encode")
    assert digest(plain, "measure") == digest(Recipe(style="starry", rho=0.1), "measure")


@pytest.mark.parametrize(
    ("text", "same"),
    [("0.5", 0.5), ("0s:0.5,3s:0.5", 0.5), ("00:02:0, 1:02:1", "2s:0,62s:1"), (1, 1.0)],
)
def test_a_strength_has_one_form_that_reads_the_same_from_a_file(
    text: object, same: object
) -> None:
    recipe = read_recipe({"style": "starry", "strength": text})
    assert recipe.strength == same
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_what_is_laid_on_last_does_not_reach_into_the_keys() -> None:
    plain = Recipe(style="starry")
    for other in (Recipe(style="starry", strength="0:0,9:1"), Recipe(style="starry", keep_color=1)):
        assert digest(plain, "plan", "measure", "paint") == digest(
            other, "plan", "measure", "paint"
        )
        assert digest(plain, "fill") != digest(other, "fill")
