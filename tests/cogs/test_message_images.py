"""Which images a message shows, and what its menus ask: within Discord's limits, whatever things are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from cogs.menu_views import DRAW, NAMES, ImageChoice, What, draw_modal, which_image
from cogs.message_images import MessageImage, from_json, images_of, to_json
from cogs.modals import join_inputs
from core.intake import Embedded, Sent

OWN = 7
CDN = "https://cdn.discordapp.com/attachments/1/2"
PROXY = "https://images-ext-1.discordapp.net/external/a/https/example.com/a.png"


def attachment(name: str, number: int, kind: str | None = "image/png") -> Any:
    file = {"id": number, "filename": name, "size": 5, "url": f"{CDN}/{number}/{name}?ex=1", "proxy_url": ""}
    return discord.Attachment(
        data=cast(Any, {**file, "content_type": kind}), state=cast(Any, SimpleNamespace(http=None))
    )


def part(
    *files: Any, embeds: tuple[dict[str, Any], ...] = (), content: str = "", components: Any = (), stickers: Any = ()
) -> Any:
    found = [discord.Embed.from_dict(cast(Any, one)) for one in embeds]
    return SimpleNamespace(attachments=files, embeds=found, content=content, components=components, stickers=stickers)


def message(*files: Any, author: int = 1, ephemeral: bool = False, snapshots: Any = (), **options: Any) -> Any:
    one = part(*files, **options)
    one.author, one.flags = SimpleNamespace(id=author), SimpleNamespace(ephemeral=ephemeral)
    one.message_snapshots = snapshots
    return one


def image(number: int, name: str = "fox.png") -> MessageImage:
    return MessageImage(key=str(number), name=name, url=f"{CDN}/{number}", size=5)


def test_files_and_embeds_are_found_once_each_in_order() -> None:
    embeds = (
        {"title": "Page", "image": {"url": "https://example.com/a.png", "proxy_url": PROXY}},
        {"thumbnail": {"url": f"{CDN}/11/a.png", "proxy_url": "https://media.discordapp.net/attachments/1/2/11/a.png"}},
        {"image": {"url": "https://example.com/none.png"}},
    )
    files = (attachment("a.png", 11), attachment("notes.txt", 12, "text/plain"), attachment("b.webp", 13, None))
    found = images_of(message(*files, embeds=embeds), OWN)
    assert [(one.key, one.name) for one in found] == [("11", "a.png"), ("13", "b.webp"), ("0e0i", "Page")]
    assert found[0].source == Sent(f"{CDN}/11/a.png?ex=1", 5)
    assert found[2].source == Embedded(PROXY)
    assert not any(one.spoiler or one.private for one in found)


def test_what_is_hidden_and_what_is_ours_is_known() -> None:
    embeds = ({"url": "https://x.example/", "image": {"proxy_url": PROXY}},)
    files = (attachment("SPOILER_easel-5-2.png", 11), attachment("fox.png", 12))
    mine = images_of(message(*files, author=OWN, ephemeral=True, embeds=embeds, content="||https://x.example/||"), OWN)
    assert [one.spoiler for one in mine] == [True, False, True]
    assert all(one.private for one in mine)
    assert [one.ours for one in mine] == [("5", 1), None, None]
    assert images_of(message(*files), OWN)[0].ours is None
    (forwarded,) = images_of(message(author=OWN, snapshots=[part(files[0])]), OWN)
    assert forwarded.ours is None


@pytest.mark.parametrize(
    ("content", "spoiler"),
    [
        ("||https://x.example/a||", True),
        ("look: || https://short.example/1 ||", True),
        ("||https://x.example/a|| https://x.example/a", True),
        ("https://x.example/a ||or not||", False),
        ("https://x.example/a ||https://short.example/1||", False),
        ("", False),
    ],
)
def test_an_embed_is_hidden_where_its_link_may_be(content: str, spoiler: bool) -> None:
    embeds = ({"url": "https://x.example/a", "image": {"proxy_url": PROXY}},)
    (one,) = images_of(message(embeds=embeds, content=content), OWN)
    assert one.spoiler is spoiler


def media(url: str, proxy_url: str = "", kind: str = "image/png", **more: Any) -> dict[str, Any]:
    return {"url": url, "proxy_url": proxy_url or url, "content_type": kind, **more}


def test_what_components_show_is_found_and_as_hidden_as_it_is_there() -> None:
    elsewhere, sent = media("https://example.com/a.png", PROXY), media(f"{CDN}/11/b.png", attachment_id="11")
    gallery = {"type": 12, "items": [{"media": elsewhere}, {"media": sent, "spoiler": True}]}
    film = {"type": 12, "items": [{"media": media(f"{CDN}/12/c.mp4", kind="video/mp4", attachment_id="12")}]}
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "Look"}],
        "accessory": {"type": 11, "media": media(f"{CDN}/13/d.png", attachment_id="13")},
    }
    file = {"type": 13, "file": media(f"{CDN}/14/e.webp", kind="", attachment_id="14"), "name": "e.webp", "size": 1}
    box = {"type": 17, "components": [section, {"type": 14}, file], "spoiler": True}
    made = [discord.components.MediaGalleryComponent(cast(Any, one), None) for one in (gallery, film)]
    components = [*made, discord.components.Container(cast(Any, box), None)]
    found = images_of(message(components=components), OWN)
    assert [(one.key, one.name, one.spoiler) for one in found] == [
        ("0c0", "a.png", False),
        ("0c1", "b.png", True),
        ("0c3", "d.png", True),
        ("0c4", "e.webp", True),
    ]
    assert found[0].source == Embedded(PROXY)
    assert found[1].source == Sent(f"{CDN}/11/b.png", 0)
    (listed,) = images_of(message(attachment("b.png", 11), components=made[:1]), OWN)[:1]
    assert (listed.key, listed.spoiler) == ("11", True)
    (forwarded,) = images_of(message(snapshots=[part(components=components[2:])]), OWN)[:1]
    assert forwarded.key == "1c0"


def test_stickers_are_images_but_those_that_are_drawn_by_the_client() -> None:
    kinds = [{"id": str(number), "name": f"{number}", "format_type": number} for number in (1, 2, 3, 4)]
    stickers = [discord.StickerItem(data=cast(Any, kind), state=cast(Any, None)) for kind in kinds]
    found = images_of(message(stickers=stickers), OWN)
    assert [one.source for one in found] == [
        Sent("https://cdn.discordapp.com/stickers/1.png", 0),
        Sent("https://cdn.discordapp.com/stickers/2.png", 0),
        Sent("https://media.discordapp.net/stickers/4.gif", 0),
    ]


@pytest.mark.parametrize("what", NAMES)
def test_the_question_is_within_discord_s_limits(what: What) -> None:
    images = [image(number, "😀" * 300) for number in range(50)]
    content, view = which_image(what, 2**64 - 1, images)
    (choice,) = cast(list[ImageChoice], view.children)
    assert len(choice.item.custom_id) <= 100
    assert len(choice.item.placeholder or "") <= 150
    assert len(choice.item.options) == 25
    assert all(len(option.label.encode("utf-16-le")) // 2 <= 100 for option in choice.item.options)
    assert "50" in content


def test_a_stranger_s_name_stays_on_its_line_and_turns_nothing_round() -> None:
    _, view = which_image("info", 1, [image(1, "two\nlines \u202egnp.exe"), image(2, "\u202e")])
    (choice,) = cast(list[ImageChoice], view.children)
    assert [option.label for option in choice.item.options] == ["1. two lines gnp.exe", "2."]


def test_the_modal_holds_the_longest_prompt_within_discord_s_limits_and_is_known_again() -> None:
    prompt = "😀" * 6000
    modal = cast(Any, draw_modal(2**64 - 1, str(2**64 - 1), prompt).to_dict())
    assert DRAW.fullmatch(modal["custom_id"])
    assert len(modal["custom_id"]) <= 100
    assert len(modal["title"]) <= 45
    assert len(modal["components"]) <= 5
    inputs = {label["component"]["custom_id"]: label["component"]["value"] for label in modal["components"]}
    assert join_inputs(inputs)["prompt"] == prompt
    for label in modal["components"]:
        assert len(label["label"]) <= 45
        assert len(label["component"]["value"].encode("utf-16-le")) // 2 <= 4000


def test_what_a_row_keeps_is_read_back() -> None:
    found = images_of(
        message(attachment("easel-5-2.png", 11), author=OWN, embeds=({"image": {"proxy_url": PROXY}},)), OWN
    )
    assert from_json(to_json(found)) == found
    assert [one.source for one in found] == [Sent(f"{CDN}/11/easel-5-2.png?ex=1", 5), Embedded(PROXY)]
    assert "discord" not in repr(found)
