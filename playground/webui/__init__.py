"""Stable Diffusion webuis on loopback, one class for each dialect. Knows only the public wire formats."""

from playground.webui.catalog import Checkpoint
from playground.webui.family import LocalForge, LocalForgeNeo, LocalReForge
from playground.webui.faults import Fault
from playground.webui.records import Render, WebuiRequest
from playground.webui.server import LocalWebui

__all__ = [
    "Checkpoint",
    "Fault",
    "LocalForge",
    "LocalForgeNeo",
    "LocalReForge",
    "LocalWebui",
    "Render",
    "WebuiRequest",
]
