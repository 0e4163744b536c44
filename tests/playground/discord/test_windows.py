"""The life of an interaction: three seconds, fifteen minutes, one answer, and what each callback type may do."""

from dataclasses import replace
from typing import Any

import pytest

from playground.discord import File, Interaction, LocalDiscord, Member, Rules
from tests.playground.discord.conftest import PNG, Rest, command

_BUTTONS = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "go", "custom_id": "go"}]}]
_MODAL = {
    "custom_id": "m",
    "title": "M",
    "components": [{"type": 18, "label": "l", "component": {"type": 4, "style": 1, "custom_id": "t"}}],
}


@pytest.fixture
async def drawn(server: LocalDiscord, rest: Rest, ada: Member) -> Interaction:
    """A fresh slash interaction nobody has answered."""
    await rest.register(command())
    return await server.slash(ada, "draw")


def test_the_default_windows_are_discords() -> None:
    assert (Rules().ack_seconds, Rules().token_seconds) == (3.0, 900.0)


async def test_a_first_response_after_the_window_is_unknown(
    server: LocalDiscord, rest: Rest, drawn: Interaction
) -> None:
    server.rules = replace(server.rules, ack_seconds=0.0)
    reply = await rest.answer(drawn, 5)
    assert (reply.status, reply.code) == (404, 10062)
    assert drawn.acked_after is None
    assert (await rest.webhook("POST", drawn, body={"content": "x"})).code == 10015


async def test_a_second_ack_is_refused_with_40060(rest: Rest, drawn: Interaction) -> None:
    assert (await rest.answer(drawn, 4, {"content": "x"})).status == 200
    reply = await rest.answer(drawn, 4, {"content": "y"})
    assert (reply.status, reply.code) == (400, 40060)
    assert drawn.response is not None
    assert drawn.response.content == "x"


async def test_after_the_tokens_life_only_the_bots_token_helps(
    server: LocalDiscord, rest: Rest, drawn: Interaction
) -> None:
    await rest.answer(drawn, 5)
    assert drawn.response is not None
    drawn.expire()
    for method, tail in (("PATCH", "/messages/@original"), ("POST", "")):
        reply = await rest.webhook(method, drawn, tail, {"content": "late"})
        assert (reply.status, reply.code) == (401, 50027)
    path = f"/channels/{server.channel.id}/messages/{drawn.response.id}"
    assert (await rest("PATCH", path, {"content": "late"})).status == 200
    assert drawn.response.content == "late"
    assert not drawn.response.thinking


async def test_the_tokens_life_can_be_shortened(server: LocalDiscord, rest: Rest, drawn: Interaction) -> None:
    await rest.answer(drawn, 5)
    server.rules = replace(server.rules, token_seconds=0.0)
    assert (await rest.webhook("GET", drawn, "/messages/@original")).code == 50027


async def test_an_unknown_application_or_token_has_its_own_code(
    server: LocalDiscord, rest: Rest, drawn: Interaction
) -> None:
    assert (await rest("POST", f"/webhooks/1/{drawn.token}", {"content": "x"}, token=None)).code == 10015
    path = f"/webhooks/{server.application_id}/nothing"
    assert (await rest("POST", path, {"content": "x"}, token=None)).code == 50027


async def test_a_deferral_answers_without_a_message_and_the_follow_up_edits_it(rest: Rest, drawn: Interaction) -> None:
    told = (await rest.answer(drawn, 5, {"flags": 64})).body
    assert drawn.response is not None
    assert told["interaction"]["response_message_id"] == str(drawn.response.id)
    assert told["interaction"]["response_message_loading"] is True
    assert told["interaction"]["response_message_ephemeral"] is True
    assert "resource" not in told
    first = await rest.webhook("POST", drawn, body={"content": "first"})
    second = await rest.webhook("POST", drawn, body={"content": "second"})
    assert first.body["id"] == str(drawn.response.id)
    assert drawn.response.ephemeral
    assert [message.content for message in drawn.follow_ups] == ["second"]
    assert second.body["flags"] == 0


async def test_without_with_response_the_answer_is_empty(rest: Rest, drawn: Interaction) -> None:
    path = f"/interactions/{drawn.id}/{drawn.token}/callback"
    reply = await rest("POST", path, {"type": 4, "data": {"content": "x"}}, token=None)
    assert (reply.status, reply.body) == (204, None)


async def test_messages_of_an_interaction_can_be_read_edited_and_deleted(rest: Rest, drawn: Interaction) -> None:
    told = (await rest.answer(drawn, 4, {"content": "x"}, [File(filename="a.png", data=PNG)])).body
    assert told["resource"]["message"]["attachments"][0]["filename"] == "a.png"
    more = (await rest.webhook("POST", drawn, "?wait=true", {"content": "more"})).body["id"]
    assert (await rest.webhook("GET", drawn, f"/messages/{more}")).body["content"] == "more"
    assert (await rest.webhook("PATCH", drawn, f"/messages/{more}", {"content": "new"})).body["content"] == "new"
    assert (await rest.webhook("DELETE", drawn, f"/messages/{more}")).status == 204
    assert (await rest.webhook("GET", drawn, f"/messages/{more}")).code == 10008
    assert (await rest.webhook("DELETE", drawn, "/messages/@original")).status == 204
    assert (await rest.webhook("PATCH", drawn, "/messages/@original", {"content": "x"})).code == 10008


@pytest.mark.parametrize(("kind", "data"), [(6, None), (7, {"content": "x"}), (8, {"choices": []})])
async def test_a_slash_command_takes_no_answer_meant_for_others(
    rest: Rest, drawn: Interaction, kind: int, data: Any
) -> None:
    reply = await rest.answer(drawn, kind, data)
    assert (reply.status, reply.code) == (400, 50035)
    assert not drawn.acknowledged


async def test_a_modal_comes_first_and_never_after_a_modal(
    server: LocalDiscord, rest: Rest, drawn: Interaction, ada: Member
) -> None:
    assert (await rest.answer(drawn, 9, _MODAL)).body["interaction"]["type"] == 2
    submitted = await server.submit(ada, drawn, {"t": "text"})
    assert (await rest.answer(submitted, 9, _MODAL)).code == 50035
    assert (await rest.answer(submitted, 6)).code == 50035
    reply = await rest.answer(submitted, 4, {"content": "thanks"})
    trigger = reply.body["resource"]["message"]["interaction_metadata"]["triggering_interaction_metadata"]
    assert trigger["id"] == str(drawn.id)


async def test_a_button_may_update_its_message_and_a_modal_from_it_too(
    server: LocalDiscord, rest: Rest, drawn: Interaction, ada: Member
) -> None:
    await rest.answer(drawn, 4, {"content": "x", "components": _BUTTONS})
    assert drawn.response is not None
    pressed = await server.press(ada, drawn.response, "go")
    await rest.answer(pressed, 9, _MODAL)
    submitted = await server.submit(ada, pressed, {"t": "text"})
    assert submitted.message is drawn.response
    updated = await rest.answer(submitted, 7, {"content": "changed", "components": []})
    assert updated.body["resource"]["type"] == 7
    assert drawn.response.content == "changed"
    assert submitted.response is drawn.response


async def test_only_ephemeral_counts_of_a_deferrals_flags(careless: Rest, lenient: LocalDiscord) -> None:
    await careless.register(command())
    interaction = await lenient.slash(lenient.member("ada"), "draw")
    await careless.answer(interaction, 5, {"flags": 32768 | 4})
    assert interaction.response is not None
    assert interaction.response.flags == 128


async def test_suggestions_are_counted_and_measured(careless: Rest, lenient: LocalDiscord) -> None:
    option = {"name": "prompt", "description": "d", "type": 3, "autocomplete": True}
    await careless.register(command(options=[option]))
    lenient.rules = replace(lenient.rules, ack_seconds=0.05)
    for choices in (
        [{"name": str(n), "value": str(n)} for n in range(26)],
        [{"name": "n" * 101, "value": "v"}],
        [{"name": "n", "value": "v" * 101}],
        [{"name": "n", "value": 2**53 + 1}],
    ):
        with pytest.raises(TimeoutError, match="suggestions"):
            await lenient.autocomplete(lenient.member("ada"), "draw", "prompt", "x")
        lenient.rules = replace(lenient.rules, ack_seconds=5.0)
        *_, asked = lenient.interactions
        assert (await careless.answer(asked, 8, {"choices": choices})).code == 50035
        lenient.rules = replace(lenient.rules, ack_seconds=0.05)
