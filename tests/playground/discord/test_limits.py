"""Message and modal bodies that break one of Discord's rules, each with the code and the place of its error."""

from typing import Any

import aiohttp
import pytest

from playground.discord import File, LocalDiscord
from playground.discord.check_components import check_modal
from playground.discord.errors import ApiError
from tests.playground.discord.conftest import Rest

V2 = 1 << 15


def button(custom_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "b", "custom_id": custom_id} | more


def row(*children: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(children)}


def rows(*children: dict[str, Any]) -> dict[str, Any]:
    return {"content": "x", "components": [row(child) for child in children]}


def select(count: int, **more: Any) -> dict[str, Any]:
    options = [{"label": str(n), "value": str(n)} for n in range(count)]
    return {"type": 3, "custom_id": "s", "options": options} | more


def text(content: str = "x") -> dict[str, Any]:
    return {"type": 10, "content": content}


def v2(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"flags": V2, "components": list(components)} | more


def gallery(count: int, url: str = "https://example.org/a.png") -> dict[str, Any]:
    return {"type": 12, "items": [{"media": {"url": url}} for _ in range(count)]}


_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "content of 2001": ({"content": "x" * 2001}, "content"),
    "content that is a number": ({"content": 5}, "content"),
    "11 embeds": ({"embeds": [{"title": "t"}] * 11}, "embeds"),
    "an embed title of 257": ({"embeds": [{"title": "t" * 257}]}, "embeds.0.title"),
    "a description of 4097": ({"embeds": [{"description": "t" * 4097}]}, "embeds.0.description"),
    "a footer of 2049": ({"embeds": [{"footer": {"text": "t" * 2049}}]}, "embeds.0.footer.text"),
    "an author of 257": ({"embeds": [{"author": {"name": "t" * 257}}]}, "embeds.0.author.name"),
    "26 fields": ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds.0.fields"),
    "a field name of 257": ({"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]}, "embeds.0.fields.0.name"),
    "a field value of 1025": (
        {"embeds": [{"fields": [{"name": "n", "value": "v" * 1025}]}]},
        "embeds.0.fields.0.value",
    ),
    "an empty field value": ({"embeds": [{"fields": [{"name": "n", "value": ""}]}]}, "embeds.0.fields.0.value"),
    "6001 characters in embeds": ({"embeds": [{"description": "t" * 3000}, {"description": "t" * 3001}]}, "embeds"),
    "a nonce of 26": ({"content": "x", "nonce": "n" * 26}, "nonce"),
    "mentions twice": (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions",
    ),
    "6 rows": (rows(*(button(str(n)) for n in range(6))), "components"),
    "6 buttons in a row": (
        {"content": "x", "components": [row(*(button(str(n)) for n in range(6)))]},
        "components.0.components",
    ),
    "a button beside a select": ({"content": "x", "components": [row(button(), select(1))]}, "components.0.components"),
    "an empty row": ({"content": "x", "components": [row()]}, "components.0.components"),
    "two buttons of one custom_id": (rows(button(), button()), "components"),
    "a custom_id of 101": (rows(button("c" * 101)), "components.0.components.0.custom_id"),
    "an empty custom_id": (rows(button("")), "components.0.components.0.custom_id"),
    "a label of 81": (rows(button(label="l" * 81)), "components.0.components.0.label"),
    "neither label nor emoji": (rows(button(label=None)), "components.0.components.0"),
    "an unknown style": (rows(button(style=9)), "components.0.components.0.style"),
    "a link with custom_id": (rows(button(style=5, url="https://example.org")), "components.0.components.0"),
    "26 select options": (rows(select(26)), "components.0.components.0.options"),
    "a placeholder of 151": (rows(select(1, placeholder="p" * 151)), "components.0.components.0.placeholder"),
    "the same select value twice": (
        rows(select(0, options=[{"label": "a", "value": "a"}] * 2)),
        "components.0.components.0.options",
    ),
    "26 values at most": (rows(select(2, max_values=26)), "components.0.components.0"),
    "a v2 component without the flag": ({"content": "x", "components": [text()]}, "components.0.type"),
    "a button without a row": (v2(button()), "components.0.type"),
    "content beside v2": (v2(text(), content="x"), "content"),
    "embeds beside v2": (v2(text(), embeds=[{"title": "t"}]), "embeds"),
    "41 components": (v2(*(text() for _ in range(41))), "components"),
    "41 components with nested ones": (v2({"type": 17, "components": [text() for _ in range(40)]}), "components"),
    "4001 characters of text": (v2(text("x" * 2000), text("x" * 2001)), "components"),
    "a container in a container": (
        v2({"type": 17, "components": [{"type": 17, "components": []}]}),
        "components.0.components.0.type",
    ),
    "11 gallery items": (v2(gallery(11)), "components.0.items"),
    "4 texts in a section": (
        v2({"type": 9, "components": [text()] * 4, "accessory": button()}),
        "components.0.components",
    ),
    "a section without accessory": (v2({"type": 9, "components": [text()]}), "components.0.accessory.type"),
    "an unknown picture in an embed": (
        {"embeds": [{"image": {"url": "attachment://missing.png"}}]},
        "embeds.0.image.url",
    ),
    "an unknown picture in a gallery": (v2(gallery(1, "attachment://no.png")), "components.0.items.0.media.url"),
    "an unknown attachment": ({"content": "x", "attachments": [{"id": 5}]}, "attachments.0.id"),
    "11 attachments": ({"content": "x", "attachments": [{"id": n} for n in range(11)]}, "attachments"),
    "an alt text of 1025": (
        {"content": "x", "attachments": [{"id": 0, "description": "d" * 1025}]},
        "attachments.0.description",
    ),
}


@pytest.mark.parametrize("what", _WRONG)
async def test_a_wrong_body_is_refused_where_it_is_wrong(lenient: LocalDiscord, careless: Rest, what: str) -> None:
    body, path = _WRONG[what]
    reply = await careless.say(body)
    assert (reply.status, reply.code) == (400, 50035)
    node = reply.body["errors"]
    for part in path.split("."):
        node = node[part]
    assert node["_errors"][0]["code"]
    assert lenient.messages() == []


_RIGHT: dict[str, dict[str, Any]] = {
    "everything at its limit": {
        "content": "x" * 2000,
        "embeds": [{"title": "t" * 256, "description": "d" * 4096, "footer": {"text": "f" * 1648}}],
        "components": [row(*(button(f"{r}{n}", label="l" * 80) for n in range(5))) for r in range(5)],
        "nonce": "n" * 25,
    },
    "a full select": rows(select(25, min_values=0, max_values=25)),
    "40 components": v2({"type": 17, "components": [*(text() for _ in range(38)), gallery(10)]}),
    "4000 characters": v2(text("x" * 4000)),
    "a section with a button": v2({"type": 9, "components": [text()], "accessory": button()}),
    "a picture alone": {"embeds": [{"image": {"url": "https://example.org/a.png"}}]},
}


@pytest.mark.parametrize("what", _RIGHT)
async def test_a_body_at_the_limit_is_taken(rest: Rest, what: str) -> None:
    assert (await rest.say(_RIGHT[what])).status == 200


@pytest.mark.parametrize(
    "body", [{}, {"content": ""}, {"content": "  "}, {"components": [row(button())]}, {"flags": V2}]
)
async def test_an_empty_message_is_refused_with_50006(rest: Rest, body: dict[str, Any]) -> None:
    reply = await rest.say(body)
    assert (reply.status, reply.code) == (400, 50006)


async def test_an_edit_may_not_empty_a_message(server: LocalDiscord, rest: Rest) -> None:
    made = (await rest.say({"content": "x"})).body["id"]
    assert (await rest("PATCH", f"/channels/{server.channel.id}/messages/{made}", {"content": ""})).code == 50006
    assert server.messages()[0].content == "x"


async def test_ten_files_are_taken_and_eleven_are_not(lenient: LocalDiscord, careless: Rest) -> None:
    files = [File(filename=f"{n}.png", data=b"x") for n in range(11)]
    assert (await careless.say({}, files[:10])).status == 200
    assert (await careless.say({}, files)).code == 30015
    assert len(lenient.messages()) == 1


async def test_a_reference_finds_the_cleaned_name_only(rest: Rest) -> None:
    picture = [File(filename="a b.png", data=b"x")]
    broken = await rest.say({"embeds": [{"image": {"url": "attachment://a b.png"}}]}, picture)
    assert broken.code == 50035
    found = await rest.say({"embeds": [{"image": {"url": "attachment://a_b.png"}}]}, picture)
    assert found.body["embeds"][0]["image"]["url"] == found.body["attachments"][0]["url"]


async def test_a_body_that_is_no_json_is_refused_with_50109(server: LocalDiscord) -> None:
    headers = {"Authorization": f"Bot {server.token}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.api_url}/channels/{server.channel.id}/messages", data=b"{", headers=headers) as response,
    ):
        assert (response.status, (await response.json())["code"]) == (400, 50109)


def field(custom_id: str = "t", **more: Any) -> dict[str, Any]:
    return {"type": 18, "label": "l", "component": {"type": 4, "style": 1, "custom_id": custom_id} | more}


def modal(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"custom_id": "m", "title": "t", "components": list(components)} | more


@pytest.mark.parametrize(
    "data",
    [
        modal(field(), title="t" * 46),
        modal(field(), title=""),
        modal(field(), custom_id="c" * 101),
        modal(),
        modal(*(field(str(n)) for n in range(6))),
        modal(field(), field()),
        modal(field() | {"label": "l" * 46}),
        modal({"type": 18, "label": "l"}),
        modal(field(style=3)),
        modal(field(value="v" * 4001)),
        modal(field(placeholder="p" * 101)),
        modal({"type": 2, "style": 1, "label": "l", "custom_id": "c"}),
        modal({"type": 18, "label": "l", "component": {"type": 21, "custom_id": "r", "options": []}}),
        modal({"type": 18, "label": "l", "component": {"type": 19, "custom_id": "f", "max_values": 11}}),
    ],
)
def test_a_wrong_modal_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        check_modal(data)
    assert refused.value.code == 50035


def test_a_modal_may_hold_five_fields_of_old_and_new_style() -> None:
    old = row({"type": 4, "style": 2, "custom_id": "old", "label": "l"})
    check_modal(modal(old, text("read this"), *(field(str(n)) for n in range(3)), title="t" * 45))
