"""A Discord and a webui on loopback: the demo, and the ground the tests stand on. Imports nothing of the bot."""
