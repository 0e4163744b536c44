"""The checkpoints and LoRAs of what one person drew, as queries: for offering names to look for. They only read.

The names of a hundred thousand pictures are read from their index alone; `benchmarks/history.py` measures it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.store.schema import gallery

_MINE = gallery.c.owner_id == sa.bindparam("person")
# Not by which is the latest: for groups SQLite sorts all pictures, which takes three times as long.
_CHECKPOINTS = sa.select(gallery.c.folded_checkpoint).distinct().where(_MINE, gallery.c.folded_checkpoint.is_not(None))
_LORAS = sa.select(gallery.c.loras).distinct().where(_MINE)


async def find_checkpoints(connection: AsyncConnection, person_id: str) -> list[str]:
    """Each once, in lower case and in order."""
    return sorted((await connection.execute(_CHECKPOINTS, {"person": person_id})).scalars())


async def find_loras(connection: AsyncConnection, person_id: str) -> list[str]:
    """The same of the LoRAs."""
    together = (await connection.execute(_LORAS, {"person": person_id})).scalars()
    # Behind the last line break there is nothing, or a name that was cut off for want of room.
    return sorted({name for names in together for name in names.split("\n")[1:-1]})
