"""What context menus ask before they act: which image, and what to draw from it. They hold ids and nothing else.

discord.py would forget a modal at a restart, so none is left with it: who submits one is answered by its custom_id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, cast

import discord

from cogs import say
from cogs.forming import FORMS
from cogs.message_images import MessageImage
from cogs.modals import build_modal, split_texts
from cogs.picture_buttons import USE

What = Literal["info", "from", "upscale", "describe"]
NAMES: Mapping[What, str] = {
    "info": "Image info",
    "from": "Draw from this",
    "upscale": "Upscale",
    "describe": "Describe",
}
"""What is done with an image, and its name in Discord's menu."""
CHOSEN_EVENT = "menu_image_chosen"
"""The event's arguments: the interaction, what is to be done, the message's id, the image's key."""
MOST = 25
"""Discord's options in a select."""
LABEL_ROOM = 100
OVER = FORMS[USE.name]
"""What “Draw from this” asks is what “Use as image” asks."""
STRENGTH = "0.6"
DRAW = re.compile(r"easel:1:from:(?P<message>[0-9]{1,20}):(?P<key>[0-9a-z]{1,24})")
"""The custom_id of the modal."""


class ImageChoice(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"easel:1:menu:(?P<what>{'|'.join(NAMES)}):(?P<message>[0-9]{{1,20}})"),
):
    """Which of a message's images is meant."""

    def __init__(self, what: What, message_id: int, images: Sequence[MessageImage] = ()) -> None:
        options = [
            discord.SelectOption(label=say.cut(say.one_line(f"{number}. {image.name}"), LABEL_ROOM), value=image.key)
            for number, image in enumerate(images[:MOST], 1)
        ]
        super().__init__(
            discord.ui.Select(
                custom_id=f"easel:1:menu:{what}:{message_id}",
                placeholder=f"{NAMES[what]}: which image?",
                options=options,
            )
        )
        self.what = what
        self.message_id = message_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a choice."""
        del interaction, item
        return cls(cast(What, match["what"]), int(match["message"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py. What a client sends need not be one of the options."""
        key = next(iter(self.item.values), "")
        interaction.client.dispatch(CHOSEN_EVENT, interaction, self.what, self.message_id, key)


def which_image(what: What, message_id: int, images: Sequence[MessageImage]) -> tuple[str, discord.ui.View]:
    """The question which of several images is meant, and its select."""
    view = discord.ui.View(timeout=None)
    view.add_item(ImageChoice(what, message_id, images))
    left = "" if len(images) <= MOST else f" There are {len(images)} on this message; the first {MOST} are offered."
    return f"**{NAMES[what]}**: which image?{left}", view


def draw_modal(message_id: int, key: str, prompt: str) -> discord.ui.Modal:
    """What to draw over the image, and how much of it may change."""
    texts = split_texts({"prompt": prompt, "strength": STRENGTH})
    return build_modal(f"easel:1:from:{message_id}:{key}", NAMES["from"], OVER.fields, texts)
