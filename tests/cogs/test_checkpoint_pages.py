"""The words of /checkpoint: within Discord's limits, with no path, and nobody of another server named."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from cogs import checkpoint_pages as pages
from cogs import say
from core.families.table import load_table
from core.store.notes import Note
from core.store.switches import SwitchRow, SwitchState
from core.switch_desk import Targets
from core.webui.catalog import Catalog, Checkpoint
from core.webui.pool import BackendView, Health

TABLE = load_table(None)
ROW = SwitchRow(
    id="1",
    backend="http://gpu:7860",
    setting="checkpoint",
    wanted="day",
    state=SwitchState.DONE,
    sentence="It has it.",
    person_id="42",
    guild_id="900",
    reply="{}",
    age=1.0,
    created_at=1000.0,
)


def view(catalog: Catalog, name: str = "webui 1", **known: object) -> BackendView:
    return BackendView(f"http://{name}", name, Health.UP, True, catalog, None, **known)  # type: ignore[arg-type]  # a test's own


def nothing(checkpoint: Checkpoint) -> Note:
    return Note(plain_title=checkpoint.plain_title, guild_id="900")


def page(catalog: Catalog, number: int = 1, *views: BackendView, for_admin: bool = False) -> str:
    return pages.listing(catalog, views or (view(catalog),), nothing, TABLE, {}, number, for_admin=for_admin)


@given(
    st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=60),
    st.text(max_size=300),
    st.integers(1, 100),
)
def test_every_page_fits(titles: list[str], friendly: str, number: int) -> None:
    catalog = Catalog(checkpoints=tuple(Checkpoint(title, title, "a" * 10 + "b", stem=title) for title in titles))
    views = [view(catalog, "w" * 80) for _ in range(4)]

    def notes(checkpoint: Checkpoint) -> Note:
        return Note(plain_title=checkpoint.plain_title, guild_id="1", friendly_name=friendly, trigger_words=friendly)

    text = pages.listing(catalog, views, notes, TABLE, {}, number, for_admin=True, last=pages.last_switch(ROW, "900"))
    assert 0 < say.units(text) <= 2000
    one = catalog.checkpoints[0]
    assert 0 < say.units(pages.details(one, notes(one), views, TABLE, {})) <= 2000
    assert 0 < say.units(pages.noted(one.title, notes(one), None)) <= 2000


def test_every_checkpoint_is_on_one_page() -> None:
    many = (Checkpoint(f"m{n:03}.safetensors", f"m{n}", stem=f"m{n:03}") for n in range(300))
    catalog = Catalog(checkpoints=tuple(many))
    first = page(catalog)
    count = int(first.split(" page 1 of ")[1].split(",")[0])
    assert count > 1
    found = [line for number in range(1, count + 1) for line in page(catalog, number).splitlines() if "`m" in line]
    assert len(found) == len(set(found)) == 300
    assert page(catalog, count) == page(catalog, count + 5)


def test_of_long_names_no_checkpoint_is_left_out_and_the_loaded_one_is_marked() -> None:
    titles = [f"{n:03}" + "_`x" * 60 for n in range(20)]
    catalog = Catalog(
        checkpoints=tuple(Checkpoint(title, title, "0123456789", stem=title) for title in titles),
        loaded_checkpoint=titles[7],
    )
    lines = page(catalog).splitlines()[1:]
    assert [line.lstrip("- `")[:3] for line in lines] == [f"{number:03}" for number in range(20)]
    assert [number for number, line in enumerate(lines) if "**loaded**" in line] == [7]


def test_a_page_is_worked_out_for_its_own_checkpoints_alone() -> None:
    many = (Checkpoint(f"someNiceModelXL_{n:05}.safetensors", f"m{n}", stem=f"m{n}") for n in range(10_000))
    catalog = Catalog(checkpoints=tuple(many)).prepare()
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert "page 500 of 500" in page(catalog, 500)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.1  # some 10 ms; it was 700


def test_no_folder_of_the_server_is_shown() -> None:
    odd = Checkpoint("/home/ann/models/day.safetensors", "day", "a1b2c3d4e5", stem="day", file_name="day.safetensors")
    twin = Checkpoint("C:\\Users\\ann\\models\\x\\day.safetensors", "day2", stem="day", file_name="day.safetensors")
    catalog = Catalog(checkpoints=(odd, twin))
    for text in (page(catalog), pages.details(odd, nothing(odd), [view(catalog)], TABLE, {})):
        assert "ann" not in text
        assert "day" in text


def test_files_of_the_same_stem_are_told_apart_by_their_endings() -> None:
    files = ("v1-5.ckpt", "v1-5.safetensors")
    catalog = Catalog(checkpoints=tuple(Checkpoint(f, f[:4], stem="v1-5") for f in files), loaded_checkpoint=files[1])
    assert page(catalog).splitlines()[1:] == ["- `v1-5.ckpt`", "- `v1-5.safetensors` · **loaded**"]


def test_what_is_loaded_and_what_draws_are_two_things_where_they_differ() -> None:
    catalog = Catalog(
        checkpoints=(Checkpoint("day.safetensors [a1b2c3d4e5]", "day", stem="day"), Checkpoint("night", "night")),
        loaded_checkpoint="day.safetensors",
    )
    assert [line for line in page(catalog).splitlines() if line.startswith("-")] == [
        "- `day` · **loaded**",
        "- `night`",
    ]
    two = [view(catalog, "a", default_checkpoint="night"), view(catalog, "b")]
    assert "- `day` · **loaded** on a, b" in page(catalog, 1, *two)
    assert "- `night` · the default on a" in page(catalog, 1, *two)


def test_hidden_ones_are_for_admins_alone() -> None:
    catalog = Catalog(checkpoints=(Checkpoint("day", "day", stem="day"), Checkpoint("night", "night", stem="night")))

    def notes(checkpoint: Checkpoint) -> Note:
        return Note(plain_title=checkpoint.title, guild_id="9", hidden=checkpoint.title == "day")

    listed = [pages.listing(catalog, [], notes, None, {}, 1, for_admin=admin) for admin in (False, True)]
    assert ["`day`" in text for text in listed] == [False, True]
    assert "hidden" in listed[1]


def test_people_of_other_servers_are_not_named() -> None:
    assert "<@42>" in pages.last_switch(ROW, "900")
    assert "42" not in pages.last_switch(ROW, "901")


@given(st.lists(st.sampled_from(SwitchState), max_size=60), st.text(max_size=600), st.text(max_size=600))
def test_progress_on_many_webuis_fits_and_names_no_host(states: list[SwitchState], wanted: str, sentence: str) -> None:
    rows = [
        SwitchRow(
            id="1",
            backend=f"http://gpu:{number}",
            setting="checkpoint",
            wanted=wanted,
            state=state,
            sentence=sentence,
            person_id="42",
            guild_id="9",
            reply="{}",
            age=0.0,
            created_at=0.0,
        )
        for number, state in enumerate(states)
    ]
    left_out = tuple((view(Catalog(), f"w{number}"), sentence) for number in range(5))
    text = pages.progress("checkpoint", wanted, Targets((), left_out), rows, {}, 42)
    assert 0 < say.units(text) <= 2000
    assert "http://gpu" not in text.replace(sentence, "").replace(wanted, "")
