"""The local Discord against the real discord.py client and against plain HTTP."""
