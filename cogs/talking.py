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
from cogs.deleting import DeleteCog
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
from cogs.small_pictures import SmallPictures
from cogs.status import StatusCog
from cogs.upscale import UpscaleCog
from cogs.wishes import WishesCog
from core.assembly import Core, build_desk, open_understanding
from core.fetch import ImageFetcher
from core.images.store import PictureStore
from core.images.thumbnails import Thumbnails
from core.intake import Intake, forget_inputs
from core.jobs.gallery import GalleryRows
from core.preferences import Preferences
from core.preset_desk import PresetDesk
from core.recall import Recall
from core.removal import Removal
from core.settings import Settings
from core.store.pointed import PointedRows, forget_pointed
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
    preferences, searches = Preferences(PreferenceRows(core.database)), SearchRows(core.database)
    pointed = PointedRows(core.database)
    presets = PresetDesk(PresetRows(core.database))
    desk = Desk(
        studio=studio,
        delivery=delivery,
        intake=intake,
        weights=settings.weights,
        notes=core.notes,
        presets=presets,
        wishes=preferences,
    )
    cogs = (
        DrawCog(desk),
        ControlCog(desk),
        UpscaleCog(desk),
        DescribeCog(desk),
        CheckpointCog(studio, switches, core.notes, understanding.families, settings.switching_servers, client=client),
        CancelCog(studio, delivery),
        QueueCog(studio, delivery),
        HelpCog(client.tree),
        StatusCog(studio, settings.switching_servers, core.notes),
        WishesCog(preferences),
        PresetCog(desk, presets, GalleryRows(core.database), Recall(core.parts)),
        *_about_results(desk, core, client, preferences, searches, pointed, PictureStore(settings.data_dir)),
    )
    chores = {
        "herald": herald.run,
        "notes": core.notes.run,
        "wildcards": understanding.wildcards.keep_fresh,
        "inputs": lambda: forget_inputs(core.inputs, core.rows.fetch_input_keys),
        "searches": lambda: forget_searches(searches),
        "pointed": lambda: forget_pointed(pointed),
    }
    return Talking(cogs, chores)


def _about_results(
    desk: Desk,
    core: Core,
    client: EaselClient,
    preferences: Preferences,
    searches: SearchRows,
    pointed: PointedRows,
    pictures: PictureStore,
) -> tuple[commands.Cog, ...]:
    """What begins with a picture that is there."""
    fetch = desk.intake.fetch
    recall, gallery = Recall(core.parts), GalleryRows(core.database)
    finder, originals = Finder(recall, preferences, fetch), Originals(client, pictures)
    info_reader, removal = InfoReader(fetch), Removal(core.rows, core.parts, gallery, pictures)
    return (
        ActsCog(desk, finder),
        EnlargeCog(desk, finder, originals),
        FormsCog(desk, finder, originals),
        DetailsCog(finder, recall),
        DeleteCog(finder, removal),
        HistoryCog(gallery, searches, SmallPictures(Thumbnails(pictures), originals, core.rows)),
        ShowCog(recall, gallery, core.rows, pictures, originals, preferences),
        PngInfoCog(info_reader),
        MenusCog(desk, finder, recall, info_reader, pointed, client.tree),
        ReactionsCog(client, core.rows, removal, preferences),
    )
