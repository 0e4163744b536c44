"""Deterministic pictures from a prompt and a seed. Knows only Pillow: no webui, no files, no network."""

from playground.webui.art.painter import Scene, noise_of_bytes, paint, unfinish

__all__ = ["Scene", "noise_of_bytes", "paint", "unfinish"]
