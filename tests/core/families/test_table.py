"""The built-in table, and what an operator's file makes of it."""

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.families.detect import family_of
from core.families.family import SETTINGS, Family
from core.families.table import Table, load_table
from core.webui.catalog import Checkpoint


def table(folder: Path, text: str) -> Table:
    file = folder / "families.toml"
    file.write_text(text, "utf-8")
    return load_table(file)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        table(folder, text)
    return refused.value.problems


def made(found: Table, key: str) -> Family:
    family = found.family(key)
    assert family is not None
    return family


def told(found: Table, stem: str) -> str:
    return family_of(Checkpoint(stem, stem, stem=stem), found, {}).key


def said(family: Family) -> dict[str, object]:
    return {name: getattr(family, name) for name in SETTINGS}


def test_the_built_in_table_makes_a_family_of_every_key() -> None:
    found = load_table(None)
    for key in found.keys:
        family = made(found, key)
        assert family.key == key
        assert str(family).strip()
        assert family.multiple % 8 == 0
        if family.pixels:
            assert (family.width or 0) % family.multiple == (family.height or 0) % family.multiple == 0
        assert not family.distilled or (family.steps or 99) <= 9
    assert {"sd15", "sdxl", "pony", "illustrious", "flux", "sd3", "sdxl/turbo", "sdxl/lightning"} <= set(found.keys)


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("sdxl", (1024, 1024, 25, 6.0, "DPM++ 2M", "Karras", None, None)),
        ("pony", (1024, 1024, 25, 7.0, "Euler a", None, 2, None)),
        ("flux", (1024, 1024, 20, 1.0, "Euler", "Simple", None, 3.5)),
        ("flux/schnell", (1024, 1024, 4, 1.0, "Euler", "Simple", None, None)),
        ("pony/lightning", (1024, 1024, 6, 2.0, "DPM++ SDE", "Karras", 2, None)),
        ("sd15/lcm", (512, 512, 8, 1.5, "LCM", "SGM Uniform", None, None)),
        ("unknown/lightning", (None, None, 6, 1.0, None, None, None, None)),
        ("unknown", (None,) * 8),
    ],
)
def test_a_variant_is_laid_over_its_base(key: str, settings: tuple[object, ...]) -> None:
    assert tuple(said(made(load_table(None), key)).values()) == settings


@pytest.mark.parametrize("key", ["", "nothing", "sdxl/", "sdxl/nothing", "/lightning", "sdxl/lightning/turbo"])
def test_what_is_no_key_makes_no_family(key: str) -> None:
    assert load_table(None).family(key) is None


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert table(tmp_path, "") == load_table(None)


def test_a_family_of_the_operators_replaces_the_built_in_one_setting_by_setting(tmp_path: Path) -> None:
    found = table(tmp_path, "[family.pony]\nsteps = 40\ncfg_scale = 5\n")
    before = said(made(load_table(None), "pony"))
    assert said(made(found, "pony")) == {**before, "steps": 40, "cfg_scale": 5.0}
    assert told(found, "ponyDiffusionV6XL") == "pony"


def test_webui_takes_a_setting_out_again(tmp_path: Path) -> None:
    found = table(tmp_path, '[family.sdxl]\nsteps = "webui"\nsampler = "webui"\n')
    assert (made(found, "sdxl").steps, made(found, "sdxl").sampler) == (None, None)
    assert made(found, "pony").sampler == "Euler a"


def test_what_is_like_a_family_follows_it(tmp_path: Path) -> None:
    found = table(tmp_path, '[family.sdxl]\nwidth = 896\n\n[family.mine]\ntitle = "Mine"\nlike = "pony"\nsteps = 9\n')
    mine = made(found, "mine/hyper")
    assert (mine.width, mine.clip_skip, mine.steps, mine.sampler) == (896, 2, 6, "DPM++ SDE")
    assert (made(found, "mine").steps, str(mine)) == (9, "Mine Hyper")


def test_the_operators_patterns_are_looked_at_first(tmp_path: Path) -> None:
    found = table(tmp_path, '[family.sd15]\nmatch = ["oldie*"]\n\n[family.mine]\nmatch = ["pony stable"]\n')
    assert told(found, "oldieXL_v1") == "sd15"
    assert told(found, "ponyStable_v1") == "mine"
    assert told(found, "ponyOther_v1") == "pony"
    assert told(found, "dreamshaper_8") == "sd15"


def test_an_unless_of_the_operators_holds_for_built_in_patterns(tmp_path: Path) -> None:
    found = table(tmp_path, '[family.pony]\nunless = ["ponytail"]\n')
    assert told(found, "ponytailArt_sd15") == "sd15"
    assert told(load_table(None), "ponytailArt_sd15") == "pony"


def test_the_operators_hashes_and_variants_are_known(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        '[family.flux]\nhashes = ["AABBCCDDEEFF"]\n\n[family.flux.variant.swift]\nsteps = 3\n\n'
        '[variant.swift]\ntitle = "Swift"\nmatch = ["swift"]\ndistilled = true\nsteps = 5\ncfg_scale = 1.5\n',
    )
    file = Checkpoint("x_swift", "x_swift", "aabbccddee", None, "x_swift")
    flux = family_of(file, found, {})
    assert (flux.key, flux.steps, flux.cfg_scale, str(flux)) == ("flux/swift", 3, 1.5, "Flux Swift")
    assert (made(found, "sdxl/swift").steps, told(found, "any_swift")) == (5, "unknown/swift")


def test_the_built_in_table_can_be_left_out(tmp_path: Path) -> None:
    found = table(tmp_path, "built_in = false\n")
    assert found.keys == ("unknown",)
    assert told(found, "sd_xl_base_1.0") == "unknown"


EVERY_MISTAKE = """\
built_in = 1
colour = "red"

[family.sdxl]
stpes = 30
steps = 0
cfg_scale = nan
width = 1001
height = "tall"
clip_skip = 1.5
sampler = 3
multiple = "webui"
distilled = "yes"
match = ["a", "ok*", "chroma*x"]
unless = "pony"
hashes = ["12345"]

[family."Big One"]
steps = true

[family.mine]
like = "nobody"
distilled_cfg = 31
variant = { lightning = 4 }

[family.mine2]
like = "mine3"
[family.mine3]
like = "mine2"

[family.flux.variant.nothing]
steps = 4
title = "x"

[variant.turbo]
like = "sdxl"
scheduler = ""
title = "two\\nlines"

[families]
"""


def test_every_mistake_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    text = "\n".join(problems(tmp_path, EVERY_MISTAKE))
    for place, what in [
        ("line 1:", "built_in must be true or false"),
        ("line 2:", "'colour' is not known here"),
        ("line 5 [family.sdxl]:", "'stpes' is not known here: did you mean steps?"),
        ("line 6 [family.sdxl]:", "steps must be a whole number from 1 to 150"),
        ("line 7 [family.sdxl]:", "cfg_scale must be a number from 1 to 30"),
        ("line 8 [family.sdxl]:", "width must be a whole number that 8 divides from 64 to 2048"),
        ("line 9 [family.sdxl]:", "height must be a whole number that 8 divides from 64 to 2048"),
        ("line 10 [family.sdxl]:", "clip_skip must be a whole number from 1 to 12"),
        ("line 11 [family.sdxl]:", "sampler must be text in quotes"),
        ("line 12 [family.sdxl]:", "multiple must be a whole number that 8 divides from 8 to 128"),
        ("line 13 [family.sdxl]:", "distilled must be true or false"),
        ("line 14 [family.sdxl]:", "'a' in match needs two letters or digits"),
        ("line 14 [family.sdxl]:", "'chroma*x' in match needs"),
        ("line 15 [family.sdxl]:", "unless must be a list of texts"),
        ("line 16 [family.sdxl]:", "'12345' in hashes is not the beginning of a sha256"),
        ("line 18 [family.Big One]:", "'Big One' can't be a name"),
        ("line 19 [family.Big One]:", "steps must be a whole number"),
        ("", "[family.mine]: like names 'nobody', which is no family"),
        ("line 23 [family.mine]:", "distilled_cfg must be a number from 0 to 30"),
        ("", "lightning must be a table"),
        ("", "[family.mine2]: like leads back to 'mine2'"),
        ("", "[family.flux.variant.nothing]: there is no [variant.nothing]"),
        ("line 33 [family.flux.variant.nothing]:", "'title' is not known here"),
        ("line 36 [variant.turbo]:", "'like' is not known here"),
        ("line 37 [variant.turbo]:", "scheduler must be text in quotes"),
        ("line 38 [variant.turbo]:", "title must be text in quotes"),
        ("line 40:", "'families' is not known here: did you mean family?"),
    ]:
        assert any(place in line and what in line for line in text.splitlines()), (place, what, text)
    assert all(line.startswith("FAMILIES_FILE") and line.endswith((".", "?")) for line in text.splitlines())


def test_a_mistake_is_not_named_twice(tmp_path: Path) -> None:
    found = problems(tmp_path, EVERY_MISTAKE)
    assert len(set(found)) == len(found) == 28


@pytest.mark.parametrize("text", ["family = 3", "[[family]]", 'variant = "x"', "[family]\nsdxl = 3"])
def test_what_is_no_table_is_said(tmp_path: Path, text: str) -> None:
    assert "must be" in problems(tmp_path, text)[0]


def test_what_is_no_toml_is_said_with_its_line(tmp_path: Path) -> None:
    (sentence,) = problems(tmp_path, "[family.sdxl]\nsteps 30\n")
    assert "FAMILIES_FILE is not TOML" in sentence
    assert "line 2" in sentence


def test_a_file_that_is_not_there_or_no_text_is_said_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"title = '\xff'")
    for file in (tmp_path / "nothing.toml", tmp_path, tmp_path / "latin"):
        with pytest.raises(ConfigurationError, match="FAMILIES_FILE can't be read") as refused:
            load_table(file)
        assert str(tmp_path) not in str(refused.value)
