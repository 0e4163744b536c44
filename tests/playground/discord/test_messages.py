"""Channel messages: nonce, history, attachments of an edit, DMs, permissions, and who gets pinged."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from playground.discord import ORDINARY, File, LocalDiscord, Member, Permission
from tests.playground.discord.conftest import PNG, Rest


def files(*names: str) -> list[File]:
    return [File(filename=name, data=name.encode()) for name in names]


async def test_the_same_enforced_nonce_makes_no_second_message(server: LocalDiscord, rest: Rest) -> None:
    body = {"content": "once", "nonce": "job-1", "enforce_nonce": True}
    first, second = await rest.say(body), await rest.say(body)
    assert first.body["id"] == second.body["id"]
    assert second.body["nonce"] == "job-1"
    assert len(server.messages()) == 1
    await rest.say({"content": "other", "nonce": "job-2", "enforce_nonce": True})
    await rest.say({"content": "not enforced", "nonce": "job-1"})
    assert len(server.messages()) == 3


async def test_a_nonce_is_forgotten_after_some_minutes(server: LocalDiscord, rest: Rest) -> None:
    server.rules = replace(server.rules, nonce_seconds=0.0)
    for _ in range(2):
        await rest.say({"content": "twice", "nonce": 7, "enforce_nonce": True})
    assert len(server.messages()) == 2


async def test_history_is_newest_first_and_can_be_paged(server: LocalDiscord, rest: Rest) -> None:
    made = [int((await rest.say({"content": str(n)})).body["id"]) for n in range(5)]
    assert made == sorted(made)
    path = f"/channels/{server.channel.id}/messages"

    async def contents(query: str) -> list[str]:
        return [message["content"] for message in (await rest("GET", path + query)).body]

    assert await contents("") == ["4", "3", "2", "1", "0"]
    assert await contents("?limit=2") == ["4", "3"]
    assert await contents(f"?limit=2&before={made[3]}") == ["2", "1"]
    assert await contents(f"?limit=2&after={made[1]}") == ["3", "2"]
    assert await contents(f"?limit=3&around={made[2]}") == ["3", "2", "1"]


async def test_an_edit_keeps_what_it_lists_and_adds_what_is_new(server: LocalDiscord, rest: Rest) -> None:
    made = (await rest.say({"content": "x"}, files("a.png", "b.png"))).body
    path = f"/channels/{server.channel.id}/messages/{made['id']}"
    assert len((await rest("PATCH", path, {"content": "y"})).body["attachments"]) == 2
    kept = {"id": made["attachments"][1]["id"], "description": "a cat"}
    body = {"attachments": [kept, {"id": 0, "filename": "c.png"}]}
    edited = (await rest("PATCH", path, body, files=files("c.png"))).body
    assert [one["filename"] for one in edited["attachments"]] == ["b.png", "c.png"]
    assert edited["attachments"][0]["description"] == "a cat"
    assert edited["edited_timestamp"] is not None
    assert (await rest("PATCH", path, {"attachments": []})).body["attachments"] == []
    [message] = server.messages()
    assert [edit.filenames for edit in message.edits] == [("a.png", "b.png"), ("b.png", "c.png"), ()]


async def test_an_upload_is_counted_once_for_each_message_that_shows_it(server: LocalDiscord, rest: Rest) -> None:
    made = (await rest.say({}, files("a.png"))).body
    path = f"/channels/{server.channel.id}/messages/{made['id']}"
    again: dict[str, Any] = {"attachments": [{"id": 0, "filename": "a.png"}]}
    await rest("PATCH", path, again, files=files("a.png"))
    assert [upload.filename for upload in server.uploads] == ["a.png"]
    await rest.say({}, files("a.png"))
    assert [upload.data for upload in server.uploads] == [b"a.png", b"a.png"]
    assert server.uploads[0].message_id != server.uploads[1].message_id


async def test_an_attachment_is_served_until_it_expires_or_its_message_goes(server: LocalDiscord, rest: Rest) -> None:
    kept, gone = [(await rest.say({}, [File(filename="a cät.png", data=PNG)])).body for _ in range(2)]
    [picture] = kept["attachments"]
    assert (picture["filename"], picture["size"]) == ("a_ct.png", len(PNG))
    assert (picture["width"], picture["height"], picture["content_type"]) == (3, 2, "image/png")
    await rest("DELETE", f"/channels/{server.channel.id}/messages/{gone['id']}")
    async with aiohttp.ClientSession() as session:

        async def status(url: str) -> tuple[int, bytes]:
            async with session.get(url) as response:
                return response.status, await response.read()

        assert await status(picture["url"]) == (200, PNG)
        assert (await status(gone["attachments"][0]["url"]))[0] == 404
        server.expire_attachments()
        assert (await status(picture["url"]))[0] == 404


async def test_spoilers_are_marked_by_name_or_by_wish(rest: Rest) -> None:
    listed = [{"id": "0", "filename": "SPOILER_a.png"}, {"id": "1", "filename": "b.png", "is_spoiler": True}]
    made = (await rest.say({"attachments": listed}, files("SPOILER_a.png", "b.png"))).body
    assert [one["flags"] for one in made["attachments"]] == [8, 8]


async def test_a_dm_is_opened_and_may_be_closed_to_the_bot(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    opened = (await rest("POST", "/users/@me/channels", {"recipient_id": str(ada.id)})).body
    assert opened["id"] == str(ada.dm.id)
    path = f"/channels/{opened['id']}/messages"
    assert (await rest("POST", path, {"content": "hello"})).status == 200
    assert [message.content for message in server.messages(ada.dm)] == ["hello"]
    shy = server.member("bob", dms_open=False)
    reply = await rest("POST", f"/channels/{shy.dm.id}/messages", {"content": "hello"})
    assert (reply.status, reply.code) == (403, 50007)
    assert (await rest("POST", "/users/@me/channels", {"recipient_id": "1"})).code == 50033


@pytest.mark.parametrize(
    ("missing", "body", "sends_file", "code"),
    [
        (Permission.VIEW_CHANNEL, {"content": "x"}, False, 50001),
        (Permission.SEND_MESSAGES, {"content": "x"}, False, 50013),
        (Permission.ATTACH_FILES, {"content": "x"}, True, 50013),
        (Permission.EMBED_LINKS, {"embeds": [{"title": "x"}]}, False, 50013),
    ],
)
async def test_a_missing_permission_has_its_code(
    server: LocalDiscord, rest: Rest, missing: Permission, body: dict[str, Any], sends_file: bool, code: int
) -> None:
    server.set_permissions(server.channel, ORDINARY & ~missing)
    reply = await rest.say(body, files("a.png") if sends_file else None)
    assert (reply.status, reply.code) == (403, code)
    server.set_permissions(server.channel, ORDINARY)
    assert (await rest.say(body, files("a.png") if sends_file else None)).status == 200


async def test_history_needs_its_permission(server: LocalDiscord, rest: Rest) -> None:
    made = (await rest.say({"content": "x"})).body["id"]
    server.set_permissions(server.channel, ORDINARY & ~Permission.READ_MESSAGE_HISTORY)
    path = f"/channels/{server.channel.id}/messages"
    assert (await rest("GET", path)).body == []
    assert (await rest("GET", f"{path}/{made}")).code == 50013


async def test_what_is_not_there_has_its_own_code(server: LocalDiscord, rest: Rest) -> None:
    assert (await rest("POST", "/channels/1/messages", {"content": "x"})).code == 10003
    assert (await rest("GET", f"/channels/{server.channel.id}/messages/1")).code == 10008
    assert (await rest("GET", "/users/1")).code == 10013
    extra = server.add_channel("gone")
    server.delete_channel(extra)
    assert (await rest("GET", f"/channels/{extra.id}")).code == 10003


async def test_a_bot_edits_only_its_own_messages(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    said = server.say(ada, "mine")
    path = f"/channels/{server.channel.id}/messages/{said.id}"
    assert (await rest("PATCH", path, {"content": "x"})).code == 50005
    assert (await rest("DELETE", path)).code == 50013
    server.set_permissions(server.channel, ORDINARY | Permission.MANAGE_MESSAGES)
    assert (await rest("DELETE", path)).status == 204


async def test_a_reply_needs_its_message(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    said = server.say(ada, "a question")
    reference = {"message_id": str(said.id)}
    assert (await rest.say({"content": "x", "message_reference": reference})).body["message_reference"]
    server.delete_message(said)
    assert (await rest.say({"content": "x", "message_reference": reference})).code == 50035
    lenient = reference | {"fail_if_not_exists": False}
    assert (await rest.say({"content": "x", "message_reference": lenient})).status == 200


async def test_a_message_pings_only_whom_it_allows(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    content = f"<@{ada.id}> @everyone"
    for allowed, everyone, people in (
        (None, True, {ada.id}),
        ({"parse": []}, False, set()),
        ({"parse": ["users"]}, False, {ada.id}),
        ({"parse": [], "users": [str(ada.id)]}, False, {ada.id}),
        ({"parse": ["everyone"], "users": []}, True, set()),
    ):
        await rest.say({"content": content} | ({} if allowed is None else {"allowed_mentions": allowed}))
        message = server.messages()[-1]
        assert (message.pinged_everyone, message.pinged) == (everyone, people)


async def test_one_picture_may_be_as_large_as_the_guild_allows(server: LocalDiscord, rest: Rest) -> None:
    server.guild.file_bytes = 100
    assert (await rest.say({}, [File(filename="a.bin", data=bytes(100))])).status == 200
    reply = await rest.say({}, [File(filename="a.bin", data=bytes(101))])
    assert (reply.status, reply.code) == (413, 40005)
    server.rules = replace(server.rules, request_bytes=150)
    reply = await rest.say({}, [File(filename=f"{n}.bin", data=bytes(80)) for n in range(2)])
    assert (reply.status, reply.code) == (413, 40005)


async def test_flags_of_an_edit_only_hide_embeds_or_switch_components_v2_on(server: LocalDiscord, rest: Rest) -> None:
    made = (await rest.say({"content": "x", "embeds": [{"title": "t"}]})).body
    path = f"/channels/{server.channel.id}/messages/{made['id']}"
    assert (await rest("PATCH", path, {"flags": 4 | 64})).body["flags"] == 4
    assert (await rest("PATCH", path, {"flags": 0})).body["flags"] == 0
    text = [{"type": 10, "content": "now v2"}]
    switched = await rest("PATCH", path, {"flags": 32768, "content": None, "embeds": [], "components": text})
    assert switched.body["flags"] == 32768
    assert (await rest("PATCH", path, {"flags": 0, "components": text})).body["flags"] == 32768
