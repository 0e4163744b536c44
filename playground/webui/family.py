"""The local webuis of the A1111 family beside A1111 itself."""

from playground.webui.forge import Forge, ReForge
from playground.webui.server import LocalWebui


class LocalForge(LocalWebui):
    """Forge f2.0.1v1.10.1."""

    dialect = Forge


class LocalForgeNeo(LocalForge):
    """Forge Classic/Neo: over the API it behaves as Forge does."""


class LocalReForge(LocalWebui):
    """reForge."""

    dialect = ReForge
