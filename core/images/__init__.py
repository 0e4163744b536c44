"""Pictures as bytes and files: what they are, their infotext, how they fit, where they are kept. No Discord."""
