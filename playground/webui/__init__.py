"""Stable Diffusion webuis on loopback, one class for each dialect. They know only the public wire formats."""

from playground.webui.catalog import Checkpoint
from playground.webui.family import LocalForge, LocalForgeNeo, LocalReForge
from playground.webui.faults import Fault
from playground.webui.records import Render, WebuiRequest
from playground.webui.sdcpp import LocalSdCpp
from playground.webui.server import LocalWebui

__all__ = ["Fault", "LocalSdCpp", "LocalWebui", "Render", "WebuiRequest"]
