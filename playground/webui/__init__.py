"""Stable Diffusion webuis on loopback, one class for each dialect. Knows only the public wire formats."""

from playground.webui.catalog import Checkpoint
from playground.webui.drawthings import LocalDrawThings
from playground.webui.family import LocalForge, LocalForgeNeo, LocalReForge
from playground.webui.faults import Fault
from playground.webui.kobold import LocalKobold
from playground.webui.records import Render, WebuiRequest
from playground.webui.sdcpp import LocalSdCpp
from playground.webui.sdnext import LocalSdNext
from playground.webui.server import LocalWebui

__all__ = [
    "Checkpoint",
    "Fault",
    "LocalDrawThings",
    "LocalForge",
    "LocalForgeNeo",
    "LocalKobold",
    "LocalReForge",
    "LocalSdCpp",
    "LocalSdNext",
    "LocalWebui",
    "Render",
    "WebuiRequest",
]
