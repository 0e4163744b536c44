"""Buttons, selects and modals between members and a real discord.py client."""

import asyncio
import io
from typing import Any

import discord
import pytest

from playground.discord import File, LocalDiscord, Member, Message, NotSendable
from tests.playground.discord.conftest import PNG, Bot, StartBot


class Questions(discord.ui.Modal, title="Again"):
    """One field of each kind that pictures need."""

    def __init__(self, bot: "Panel") -> None:
        super().__init__()
        self.bot = bot
        self.prompt: Any = discord.ui.TextInput(custom_id="prompt", default="a cat", max_length=20)
        self.size: Any = discord.ui.Select(
            custom_id="size", options=[discord.SelectOption(label="Wide"), discord.SelectOption(label="Tall")]
        )
        self.image: Any = discord.ui.FileUpload(custom_id="image", required=False, min_values=0, max_values=2)
        for text, component in (("Prompt", self.prompt), ("Size", self.size), ("Image", self.image)):
            self.add_item(discord.ui.Label(text=text, component=component))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        pictures = [await attachment.read() for attachment in self.image.values]
        self.bot.answers.append((self.prompt.value, self.size.values, pictures))
        await interaction.response.send_message("thanks")


class Panel(Bot):
    """Posts one message with a button, a select and a disabled button, and answers them."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is not discord.InteractionType.component:
            return
        assert interaction.data is not None
        match interaction.data.get("custom_id"):
            case "edit":
                await interaction.response.edit_message(content="edited")
            case "later":
                await interaction.response.defer()
                await interaction.edit_original_response(content="later", attachments=[])
            case "modal":
                await interaction.response.send_modal(Questions(self))
            case "pick":
                await interaction.response.send_message(str(interaction.data.get("values")), ephemeral=True)


def view() -> discord.ui.View:
    panel = discord.ui.View(timeout=None)
    for name in ("edit", "later", "modal"):
        panel.add_item(discord.ui.Button(label=name, custom_id=name))
    panel.add_item(discord.ui.Button(label="off", custom_id="off", disabled=True))
    panel.add_item(discord.ui.Button(label="web", url="https://example.org"))
    options = [discord.SelectOption(label=name, value=name) for name in ("a", "b", "c")]
    panel.add_item(discord.ui.Select(custom_id="pick", options=options, max_values=2))
    return panel


@pytest.fixture
async def panel(server: LocalDiscord, start_bot: StartBot) -> tuple[Panel, Message]:
    bot = Panel()
    bot.tree.add_command(discord.app_commands.Command(name="panel", description="d", callback=_post))
    await start_bot(bot)
    interaction = await server.slash(server.member("ada"), "panel")
    return bot, await server.until(lambda: interaction.response)


async def _post(interaction: discord.Interaction) -> None:
    file = discord.File(io.BytesIO(PNG), "a.png")
    await interaction.response.send_message("panel", view=view(), file=file)


async def test_a_button_may_change_its_own_message(
    server: LocalDiscord, panel: tuple[Panel, Message], ada: Member
) -> None:
    _, message = panel
    first = await server.press(ada, message, "edit")
    await server.until(lambda: first.acknowledged)
    assert (message.content, len(message.attachments)) == ("edited", 1)
    second = await server.press(ada, message, "later")
    await server.until(lambda: message.content == "later")
    assert second.response is message
    assert message.attachments == []
    assert len(message.edits) == 2
    assert [button["label"] for button in message.buttons()] == ["edit", "later", "modal", "off", "web"]


async def test_a_member_presses_only_what_can_be_pressed(
    server: LocalDiscord, panel: tuple[Panel, Message], ada: Member
) -> None:
    _, message = panel
    for custom_id in ("off", "pick", "missing"):
        with pytest.raises(NotSendable):
            await server.press(ada, message, custom_id)
    with pytest.raises(NotSendable):
        await server.select(ada, message, "edit", ["a"])
    server.delete_message(message)
    with pytest.raises(NotSendable, match="does not see"):
        await server.press(ada, message, "edit")


async def test_a_select_takes_what_is_offered(server: LocalDiscord, panel: tuple[Panel, Message], ada: Member) -> None:
    _, message = panel
    for values in ([], ["x"], ["a", "b", "c"]):
        with pytest.raises(NotSendable):
            await server.select(ada, message, "pick", values)
    interaction = await server.select(ada, message, "pick", ["a", "c"])
    answer = await server.until(lambda: interaction.response)
    assert answer.content == "['a', 'c']"
    assert answer.ephemeral


async def test_a_modal_is_opened_filled_in_and_submitted_once(
    server: LocalDiscord, panel: tuple[Panel, Message], ada: Member
) -> None:
    bot, message = panel
    opener = await server.press(ada, message, "modal")
    await server.until(lambda: opener.modal)
    for wrong in (
        {"prompt": "a" * 21, "size": "Wide"},
        {"prompt": "", "size": "Wide"},
        {"prompt": "dog"},
        {"size": "Square"},
        {"size": "Wide", "missing": "x"},
        {"size": "Wide", "image": [PNG, PNG, PNG]},
    ):
        with pytest.raises(NotSendable):
            await server.submit(ada, opener, wrong)
    with pytest.raises(NotSendable, match="no open modal"):
        await server.submit(server.member("bob"), opener, {"size": "Wide"})
    submitted = await server.submit(ada, opener, {"size": ["Wide"], "image": [File(filename="b.png", data=PNG)]})
    answer = await server.until(lambda: submitted.response)
    assert answer.content == "thanks"
    assert bot.answers == [("a cat", ["Wide"], [PNG])]
    with pytest.raises(NotSendable, match="no open modal"):
        await server.submit(ada, opener, {"size": "Wide"})


async def test_a_components_v2_message_is_read_back_by_a_real_client(
    server: LocalDiscord, start_bot: StartBot, ada: Member
) -> None:
    received: asyncio.Future[discord.InteractionMessage] = asyncio.get_running_loop().create_future()

    async def show(interaction: discord.Interaction) -> None:
        layout = discord.ui.LayoutView(timeout=None)
        picture = discord.File(io.BytesIO(PNG), "a.png")
        gallery: Any = discord.ui.MediaGallery(discord.MediaGalleryItem(picture, description="a cat", spoiler=True))
        text: Any = discord.ui.TextDisplay("A cat")
        thumbnail: Any = discord.ui.Thumbnail(picture)
        section: Any = discord.ui.Section(text, accessory=thumbnail)
        separator: Any = discord.ui.Separator()
        layout.add_item(discord.ui.Container(section, gallery, separator, discord.ui.File(picture)))
        await interaction.response.send_message(view=layout, file=picture)
        received.set_result(await interaction.original_response())

    bot = Bot()
    bot.tree.add_command(discord.app_commands.Command(name="show", description="d", callback=show))
    await start_bot(bot)
    interaction = await server.slash(ada, "show")
    shown: Any = await asyncio.wait_for(received, 5)
    [container] = shown.components
    kinds = [type(child).__name__ for child in container.children]
    assert kinds == ["SectionComponent", "MediaGalleryComponent", "SeparatorComponent", "FileComponent"]
    assert container.children[1].items[0].media.url.startswith("http://127.0.0.1")
    assert interaction.response is not None
    assert interaction.response.text() == "A cat"
