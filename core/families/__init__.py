"""Families of checkpoints: what draws well with SD 1.5, SDXL, Flux and others where nobody says it.

family.py     a family's settings, as one value
names.py      how a pattern is found in a checkpoint's name
bases.py      what families are built on, and what in the names of other files tells it
families.toml the built-in table, with the figures' sources; its head says how an operator's own file is written
reading.py    a file's text into entries, with every mistake in it
table.py      the built-in table and the operator's as one; makes families of it
detect.py     which family a checkpoint is of
defaults.py   a family as a layer of defaults, and shapes in its number of pixels
"""
