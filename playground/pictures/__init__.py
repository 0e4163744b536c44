"""Pictures for the README: what the local Discord received from the real bot, drawn by a browser."""
