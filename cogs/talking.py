"""Everything of a process that talks to people, put together: commands, buttons, messages that stay true.

Composition alone: it makes no decision.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from discord.ext import commands

from cogs.acts import ActsCog
from cogs.asking import Desk
from cogs.buttons import EventButton
from cogs.cancel import CancelCog
from cogs.checkpoint import CheckpointCog
from cogs.client import EaselClient
from cogs.control import ControlCog
from cogs.delivery import DiscordDelivery
from cogs.describe import DescribeCog
from cogs.details import DetailsCog
from cogs.drafts import ReopenButton
from cogs.draw import DrawCog
from cogs.enlarge import EnlargeCog
from cogs.forming import FormsCog
from cogs.found import Finder
from cogs.help import HelpCog
from cogs.history import HistoryCog
from cogs.history_items import HistoryChoice, PageButton
from cogs.menu_views import ImageChoice
from cogs.menus import MenusCog
from cogs.originals import Originals
from cogs.picture_buttons import PictureButton, PictureChoice
from cogs.pnginfo import InfoReader, PngInfoCog
from cogs.presets import PresetCog
from cogs.queue import QueueCog
from cogs.reactions import ReactionsCog
from cogs.show import ShowCog
from cogs.status import StatusCog
from cogs.upscale import UpscaleCog
from cogs.wishes import WishesCog
from core.assembly import Core, build_desk, open_understanding
from core.fetch import ImageFetcher
from core.images.store import PictureStore
from core.intake import Intake, forget_inputs
from core.jobs.gallery import GalleryRows
from core.preferences import Preferences
from core.preset_desk import PresetDesk
from core.recall import Recall
from core.removal import Removal
from core.settings import Settings
from core.store.preferences import PreferenceRows
from core.store.presets import PresetRows
from core.store.searches import SearchRows, forget_searches
from core.switch_desk import SwitchDesk

DYNAMIC_ITEMS = (
    EventButton,
    PictureButton,
    PictureChoice,
    ReopenButton,
    PageButton,
    HistoryChoice,
    ImageChoice,
)
"""The buttons and menus that are known again after a restart."""


@dataclass(frozen=True, slots=True)
class Talking:
    """What to add to the client, and what to do for ever."""

    cogs: tuple[commands.Cog, ...]
    chores: dict[str, Callable[[], Coroutine[Any, Any, None]]]


async def build_talking(
    settings: Settings, core: Core, client: EaselClient, delivery: DiscordDelivery, fetcher: ImageFetcher
) -> Talking:
    """Everything, connected; nothing is begun yet."""
    intake = Intake(fetcher, core.inputs)
    understanding = await open_understanding(settings, core.notes)
    studio, herald = build_desk(core, delivery, understanding)
    switches = SwitchDesk(rows=core.switches, views=studio.webuis, bell=core.switch_bell)
    presets = PresetDesk(PresetRows(core.database))
    preferences = Preferences(PreferenceRows(core.database))
    desk = Desk(
        studio=studio,
        delivery=delivery,
        intake=intake,
        weights=settings.weights,
        notes=core.notes,
        presets=presets,
        wishes=preferences,
    )
    recall, gallery = Recall(core.parts), GalleryRows(core.database)
    searches = SearchRows(core.database)
    finder = Finder(recall, preferences, intake.fetch)
    pictures = PictureStore(settings.data_dir)
    originals = Originals(client, pictures, intake.fetch)
    info_reader = InfoReader(intake.fetch)
    removal = Removal(core.rows, gallery, pictures)
    cogs = (
        DrawCog(desk),
        ControlCog(desk),
        UpscaleCog(desk),
        DescribeCog(desk),
        ActsCog(desk, finder),
        EnlargeCog(desk, finder, originals),
        FormsCog(desk, finder, originals),
        DetailsCog(finder, recall, removal),
        PresetCog(desk, presets, gallery, recall),
        HistoryCog(gallery, searches, pictures),
        ShowCog(recall, gallery, core.rows, pictures),
        CheckpointCog(studio, switches, core.notes, understanding.families, settings.switching_servers, client=client),
        PngInfoCog(info_reader),
        MenusCog(desk, finder, recall, info_reader, client.tree),
        CancelCog(studio, delivery),
        QueueCog(studio, delivery),
        HelpCog(client.tree),
        StatusCog(studio, settings.switching_servers, core.notes),
        WishesCog(preferences),
        ReactionsCog(client, core.rows, removal),
    )
    chores = {
        "herald": herald.run,
        "notes": core.notes.run,
        "wildcards": understanding.wildcards.keep_fresh,
        "inputs": lambda: forget_inputs(core.inputs, core.rows.fetch_input_keys),
        "searches": lambda: forget_searches(searches),
    }
    return Talking(cogs, chores)
