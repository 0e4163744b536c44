"""`scripts/demo`: a local Discord, a local webui, the real bot as a process of its own, and a person at the terminal.

It knows the playground and the terminal; of the bot it knows only how to start it.
"""

from __future__ import annotations

from playground.demo.app import main

__all__ = ["main"]
