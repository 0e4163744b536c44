"""A Stable Diffusion WebUI on loopback in the A1111 1.10.1 dialect. Knows only the public wire format."""

from playground.webui.faults import Fault
from playground.webui.records import Render, WebuiRequest
from playground.webui.server import LocalWebui

__all__ = ["Fault", "LocalWebui", "Render", "WebuiRequest"]
