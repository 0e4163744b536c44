"""Looking names up, completing them, and merging what several webuis have."""

import time
from itertools import islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named, find_checkpoint, find_name, merge
from core.webui.names import CHOICE_COUNT, CHOICE_LENGTH, NameIndex, nearest, shorten, utf16_length

DREAM = Checkpoint("dream_8.safetensors [0a1b2c3d4e]", "dream_8", "0a1b2c3d4e", "0a1b2c3d4e" + "5" * 54, "dream_8")
FOLDER = Checkpoint("xl\\Juggernaut.safetensors", "xl_Juggernaut", None, None, "Juggernaut", "Juggernaut.safetensors")
TWIN = Checkpoint("sd\\Twin.ckpt [aaaabbbbcc]", "sd_Twin", "aaaabbbbcc", None, "Twin", "Twin.ckpt")
OTHER_TWIN = Checkpoint("xl\\Twin.ckpt [ddddeeeeff]", "xl_Twin", "ddddeeeeff", None, "Twin", "Twin.ckpt")
CATALOG = Catalog(checkpoints=(DREAM, FOLDER, TWIN, OTHER_TWIN))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("dream_8.safetensors [0a1b2c3d4e]", DREAM),
        ("DREAM_8.SAFETENSORS", DREAM),
        ("  dream_8 ", DREAM),
        ("0A1B2C3D4E", DREAM),
        (DREAM.sha256, DREAM),
        ("dre", DREAM),
        ("xl/juggernaut.safetensors", FOLDER),
        ("XL\\Juggernaut.safetensors", FOLDER),
        ("xl_juggernaut", FOLDER),
        ("Juggernaut", FOLDER),
        ("xl/juggernaut.safetensors [123456abcd]", FOLDER),  # hashed elsewhere, or later
        ("dream_8.safetensors [ffffffffff]", None),  # another file of that name
        ("sd/twin.ckpt", TWIN),
        ("twin", None),  # two folders have one
        ("twin.ckpt", None),
        ("xl", None),
        ("", None),
        ("   ", None),
        ("banana", None),
    ],
)
def test_a_checkpoint_is_found_by_whatever_names_it_alone(wanted: str, found: Checkpoint | None) -> None:
    assert find_checkpoint(CATALOG, wanted) == found


def test_the_placeholder_hash_of_other_servers_names_nothing() -> None:
    catalog = Catalog(checkpoints=(Checkpoint("sd15", "sd15", "8888888888", "8" * 64, "sd15"),))
    assert find_checkpoint(catalog, "8888888888") is None
    assert find_checkpoint(catalog, "sd15") == catalog.checkpoints[0]


KARRAS = Named("Karras", ("karras",))
EULER = Named("Euler", ("k_euler",))
EULER_A = Named("Euler a", ("k_euler_a", "k_euler_ancestral"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("euler", EULER), ("EULER A", EULER_A), ("k_euler_a", EULER_A), (" Karras ", KARRAS), ("Eul", None), ("", None)],
)
def test_a_sampler_is_found_by_name_or_alias_in_any_case(wanted: str, found: Named | None) -> None:
    assert find_name((EULER_A, EULER, KARRAS), wanted) == found


def test_a_name_beats_another_one_s_alias() -> None:
    first, second = Named("A", ("B",)), Named("B")
    assert find_name((first, second), "b") == second


@pytest.mark.parametrize("wanted", ["euler_a", "Euler-A", "EulerA"])
def test_blanks_and_their_like_count_only_where_there_is_no_other_way(wanted: str) -> None:
    assert find_name((EULER, EULER_A), wanted) == EULER_A
    exact = Named(wanted)
    assert find_name((EULER_A, exact), wanted) == exact


def test_a_name_that_may_be_two_once_its_blanks_are_gone_is_neither() -> None:
    assert find_name((Named("DPM 2 M"), Named("DPM 2M")), "dpm2m") is None


def test_completion_takes_beginnings_first_and_any_part_in_any_case() -> None:
    catalog = Catalog(samplers=tuple(map(Named, ["DPM++ 2M", "Euler a", "LMS", "aMS", "ms fast"])))
    assert [choice.value for choice in catalog.sampler_names.choices("MS")] == ["ms fast", "LMS", "aMS"]


def test_nothing_typed_offers_the_first_ones_in_the_webui_s_order() -> None:
    catalog = Catalog(schedulers=tuple(Named(f"s{number}") for number in range(40)))
    assert [choice.name for choice in catalog.scheduler_names.choices(" ")] == [f"s{n}" for n in range(CHOICE_COUNT)]


def test_a_long_title_is_shown_shortened_and_chosen_by_something_shorter() -> None:
    long = Checkpoint("m" * 150 + ".safetensors [0123456789]", "m" * 150, "0123456789", None, "m" * 150)
    (choice,) = Catalog(checkpoints=(long,)).checkpoint_names.choices("mmm")
    assert utf16_length(choice.name) == CHOICE_LENGTH
    assert choice.name.endswith("…")
    assert choice.value == "0123456789"


_name = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=130).filter(str.strip)
_checkpoint = st.builds(
    lambda stem, folder, digest: Checkpoint(
        title=f"{folder}{stem}.safetensors" + (f" [{digest}]" if digest else ""),
        model_name=f"{folder}{stem}".replace("\\", "_"),
        hash=digest,
        stem=stem,
        file_name=f"{stem}.safetensors",
    ),
    _name,
    st.sampled_from(["", "", "xl\\", "sd\\"]),
    st.none() | st.text("0123456789abcdef", min_size=10, max_size=10),
)


@given(st.lists(_checkpoint, max_size=6, unique_by=lambda one: one.title), st.text(max_size=3))
@settings(deadline=None)
def test_every_choice_fits_discord_and_leads_back_to_its_checkpoint(found: list[Checkpoint], typed: str) -> None:
    catalog = Catalog(checkpoints=tuple(found))
    for choice in catalog.checkpoint_names.choices(typed):
        assert 0 < utf16_length(choice.name) <= CHOICE_LENGTH
        assert 0 < utf16_length(choice.value) <= CHOICE_LENGTH
        meant = find_checkpoint(catalog, choice.value)
        assert meant is not None
        assert shorten(meant.title) == choice.name


@given(st.lists(_name, max_size=30), st.text(max_size=2) | _name)
def test_the_search_finds_what_a_plain_scan_finds(names: list[str], typed: str) -> None:
    index = NameIndex(names, lambda number: names[number])
    wanted = typed.strip().casefold().replace("\n", " ")
    found = index.search(typed, 1000)
    assert sorted(found) == [number for number, name in enumerate(names) if wanted in name.casefold()]
    begins = [names[number].casefold().startswith(wanted) for number in found]
    assert begins == sorted(begins, reverse=True)


@given(st.text(max_size=300))
def test_a_shortened_text_fits_and_starts_like_the_whole(text: str) -> None:
    short = shorten(text)
    assert utf16_length(short) <= CHOICE_LENGTH
    assert text.replace("\n", " ").startswith(short.removesuffix("…"))


@pytest.mark.parametrize(
    ("wanted", "best"), [("Eular a", "Euler a"), ("eulr", "Euler"), ("dpm2m", "DPM++ 2M"), ("karas", "LMS Karras")]
)
def test_the_nearest_name_comes_first(wanted: str, best: str) -> None:
    assert nearest(["DPM++ SDE", "LMS Karras", "Euler", "DPM++ 2M", "Euler a", "DDIM"], wanted)[0] == best


def test_nearest_gives_no_more_than_there_are() -> None:
    assert nearest(["a", "b"], "zzz") == ["a", "b"]


def test_ten_thousand_names_are_searched_within_two_milliseconds() -> None:
    words = ["dream", "real", "anime", "photon", "xl", "v2", "mix", "fox", "toon", "ink", "pruned", "art"]
    names = ["_".join(four) for four in islice(product(words, repeat=4), 10_000)]
    checkpoints = tuple(Checkpoint(f"{name}.safetensors", name, None, None, name) for name in names)
    index = Catalog(checkpoints=checkpoints).checkpoint_names
    index.choices("")  # the tables are built
    times = []
    for typed in ["d", "dr", "dream", "mix_9", "zzzz", "999", "_", "pruned_art_ink", "safetensors", "9.s"] * 20:
        started = time.thread_time()
        index.choices(typed)
        times.append(time.thread_time() - started)
    assert sorted(times)[int(len(times) * 0.99)] < 0.002


def test_a_catalog_with_another_loaded_checkpoint_keeps_its_tables() -> None:
    lookup = CATALOG.checkpoint_lookup
    changed = CATALOG.with_loaded("dream_8")
    assert changed.loaded_checkpoint == "dream_8"
    assert changed.checkpoint_lookup is lookup
    assert CATALOG.loaded_checkpoint is None


def test_merging_unites_names_and_prefers_the_hashed_title() -> None:
    plain = Checkpoint("Dream_8.safetensors", "dream_8", None, None, "dream_8")
    first = Catalog((plain,), (EULER,), (KARRAS,), Capabilities(progress=True), loaded_checkpoint="x")
    second = Catalog((DREAM, FOLDER), (Named("euler"), EULER_A), (), Capabilities(clip_skip=2))
    merged = merge([first, second])
    assert merged.checkpoints == (DREAM, FOLDER)
    assert merged.samplers == (EULER, EULER_A)
    assert merged.schedulers == (KARRAS,)
    assert merged.capabilities == Capabilities(progress=True, clip_skip=2)
    few = Capabilities(n_iter=False)
    assert merge([Catalog(capabilities=few), second]).capabilities.n_iter
    assert not merge([Catalog(capabilities=few)] * 2).capabilities.n_iter
    assert merged.loaded_checkpoint is None
    assert find_checkpoint(merged, "dream_8.safetensors [0a1b2c3d4e]") == DREAM


def test_one_catalog_merges_to_itself() -> None:
    assert merge([CATALOG]) is CATALOG
