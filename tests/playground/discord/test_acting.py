"""Members use commands: what their client refuses, and what a real discord.py client receives."""

from typing import Any

import discord
import pytest
from discord import app_commands

from playground.discord import Choice, File, LocalDiscord, Member, NotSendable
from tests.playground.discord.conftest import PNG, Bot, Rest, StartBot, command

_OPTIONS: list[dict[str, Any]] = [
    {"name": "prompt", "description": "d", "type": 3, "required": True, "min_length": 2, "max_length": 10},
    {"name": "steps", "description": "d", "type": 4, "min_value": 1, "max_value": 150},
    {"name": "cfg", "description": "d", "type": 10, "min_value": 1.0},
    {"name": "spoiler", "description": "d", "type": 5},
    {"name": "size", "description": "d", "type": 3, "choices": [{"name": "Wide", "value": "16:9"}]},
    {"name": "who", "description": "d", "type": 6},
    {"name": "image", "description": "d", "type": 11},
    {"name": "sampler", "description": "d", "type": 3, "autocomplete": True},
]


async def sent(server: LocalDiscord, member: Member, **options: Any) -> dict[str, Any]:
    """Options by name as the interaction carries them."""
    interaction = await server.slash(member, "draw", **options)
    return {option["name"]: option["value"] for option in interaction.data["options"]}


async def test_typed_options_become_json_of_the_registered_type(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    await rest.register(command(options=_OPTIONS))
    given = await sent(server, ada, prompt="a cat", steps="30", cfg=7, spoiler="true", size="Wide", who=ada)
    assert given == {"prompt": "a cat", "steps": 30, "cfg": 7.0, "spoiler": True, "size": "16:9", "who": str(ada.id)}
    assert list(await sent(server, ada, steps=1, prompt="a cat", cfg=None)) == ["prompt", "steps"]
    assert (await sent(server, ada, prompt="a cat", sampler="nobody offered this"))["sampler"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prompt": ""},
        {"prompt": "a"},
        {"prompt": "a" * 11},
        {"prompt": 7},
        {"prompt": "cat", "unknown": 1},
        {"prompt": "cat", "steps": 0},
        {"prompt": "cat", "steps": 1.5},
        {"prompt": "cat", "steps": "many"},
        {"prompt": "cat", "cfg": 0.5},
        {"prompt": "cat", "cfg": float("nan")},
        {"prompt": "cat", "spoiler": "maybe"},
        {"prompt": "cat", "size": "4:3"},
        {"prompt": "cat", "who": "ada"},
        {"prompt": "cat", "image": "cat.png"},
    ],
)
async def test_what_the_members_client_would_refuse_is_not_sent(
    server: LocalDiscord, rest: Rest, ada: Member, options: dict[str, Any]
) -> None:
    await rest.register(command(options=_OPTIONS))
    with pytest.raises(NotSendable):
        await server.slash(ada, "draw", **options)


async def test_a_command_is_only_there_where_and_for_whom_it_is_meant(
    server: LocalDiscord, rest: Rest, ada: Member
) -> None:
    await rest.register(
        command("draw"),
        command("here", contexts=[0]),
        command("adult", nsfw=True),
        command("settings", default_member_permissions=0),
        command("preset", options=[{"name": "save", "description": "d", "type": 1}]),
    )
    admin = server.member("root", administrator=True)
    for name, member, channel in (
        ("unknown", ada, server.channel),
        ("here", ada, ada.dm),
        ("draw", ada, admin.dm),
        ("adult", ada, server.channel),
        ("settings", ada, server.channel),
        ("preset", ada, server.channel),
        ("preset load", ada, server.channel),
    ):
        with pytest.raises(NotSendable):
            await server.slash(member, name, channel=channel)
    await server.slash(admin, "settings")
    await server.slash(ada, "adult", channel=server.add_channel("night", nsfw=True))
    assert (await server.slash(ada, "preset save")).data["options"][0]["name"] == "save"


async def test_a_file_too_large_is_not_uploaded(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    await rest.register(command(options=_OPTIONS))
    server.guild.file_bytes = len(PNG) - 1
    with pytest.raises(NotSendable, match="uploads end at"):
        await server.slash(ada, "draw", prompt="cat", files={"image": PNG})


class Studio(Bot):
    """Remembers the interactions it received."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[discord.Interaction] = []
        self.pictures: list[bytes] = []
        draw: app_commands.Command[Any, ..., None] = app_commands.Command(
            name="draw", description="d", callback=self._draw()
        )
        draw.autocomplete("prompt")(_suggest)
        self.tree.add_command(draw)
        self.tree.add_command(app_commands.ContextMenu(name="Image info", callback=self._message_menu()))
        self.tree.add_command(app_commands.ContextMenu(name="Greet", callback=self._user_menu()))

    def _draw(self) -> Any:
        async def draw(
            interaction: discord.Interaction, prompt: str, steps: int = 20, image: discord.Attachment | None = None
        ) -> None:
            self.seen.append(interaction)
            await interaction.response.defer(ephemeral=prompt == "secret")
            if image is not None:
                self.pictures.append(await image.read())
            await interaction.followup.send(f"{prompt} {steps}", wait=True)
            await interaction.followup.send("more", wait=True)

        return draw

    def _message_menu(self) -> Any:
        async def info(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(f"{len(message.attachments)} files", ephemeral=True)

        return info

    def _user_menu(self) -> Any:
        async def greet(interaction: discord.Interaction, user: discord.Member) -> None:
            mentions = discord.AllowedMentions(users=True, everyone=False)
            await interaction.response.send_message(f"{user.mention} @everyone", allowed_mentions=mentions)

        return greet


async def _suggest(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    steps = getattr(interaction.namespace, "steps", None)
    return [app_commands.Choice(name=f"{current} ({steps})", value=current)] if current else []


async def test_a_real_client_receives_a_slash_command_with_its_surroundings(
    server: LocalDiscord, start_bot: StartBot, ada: Member
) -> None:
    bot = Studio()
    await start_bot(bot)
    server.guild.file_bytes = 50 * 2**20
    interaction = await server.slash(ada, "draw", prompt="a cat", files={"image": File(filename="c.png", data=PNG)})
    await server.until(lambda: interaction.follow_ups, what="the follow-up")
    [seen] = bot.seen
    assert seen.user.id == ada.id
    assert seen.guild_id == server.guild.id
    assert seen.channel is bot.get_channel(server.channel.id)
    assert seen.filesize_limit == 50 * 2**20
    assert seen.app_permissions.attach_files
    assert seen.permissions.send_messages
    assert seen.is_guild_integration()
    assert bot.pictures == [PNG]
    assert interaction.response is not None
    assert interaction.response.content == "a cat 20"
    assert interaction.acked_after is not None
    assert [callback.type for callback in interaction.callbacks] == [5]
    assert [message.content for message in interaction.messages] == ["a cat 20", "more"]


async def test_a_dm_carries_a_user_and_no_guild(server: LocalDiscord, start_bot: StartBot, ada: Member) -> None:
    bot = Studio()
    await start_bot(bot)
    interaction = await server.slash(ada, "draw", prompt="a cat", channel=ada.dm)
    await server.until(lambda: interaction.follow_ups)
    [seen] = bot.seen
    assert (seen.guild_id, seen.user.id, seen.context.dm_channel) == (None, ada.id, True)
    assert [message.content for message in server.messages(ada.dm)] == ["a cat 20", "more"]
    assert server.messages() == []


async def test_autocomplete_returns_the_choices(server: LocalDiscord, start_bot: StartBot, ada: Member) -> None:
    await start_bot(Studio())
    assert await server.autocomplete(ada, "draw", "prompt", "ca", steps=4) == [Choice("ca (4)", "ca")]
    assert await server.autocomplete(ada, "draw", "prompt", "") == []
    with pytest.raises(NotSendable, match="no autocomplete"):
        await server.autocomplete(ada, "draw", "steps", 4)


async def test_an_ephemeral_deferral_stays_ephemeral_and_is_seen_by_one(
    server: LocalDiscord, start_bot: StartBot, rest: Rest, ada: Member
) -> None:
    await start_bot(Studio())
    interaction = await server.slash(ada, "draw", prompt="secret")
    await server.until(lambda: interaction.follow_ups)
    message = interaction.response
    assert message is not None
    assert message.ephemeral
    assert message.visible_to(ada)
    assert not message.visible_to(server.member("bob"))
    path = f"/channels/{server.channel.id}/messages/{message.id}"
    for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("DELETE", None)):
        assert (await rest(method, path, body)).code == 10008
    assert [one["content"] for one in (await rest("GET", f"/channels/{server.channel.id}/messages")).body] == ["more"]


async def test_context_menus_carry_their_target(server: LocalDiscord, start_bot: StartBot, ada: Member) -> None:
    await start_bot(Studio())
    message = server.say(ada, "look", [File(filename="a.png", data=PNG)])
    info = await server.message_menu(ada, "Image info", message)
    answer = await server.until(lambda: info.response)
    assert answer.content == "1 files"
    greet = await server.user_menu(ada, "Greet", server.member("bob"))
    greeting = await server.until(lambda: greet.response)
    assert greeting.pinged == {server.member("bob").id}
    assert not greeting.pinged_everyone
    with pytest.raises(NotSendable):
        await server.message_menu(server.member("bob"), "Image info", answer)
