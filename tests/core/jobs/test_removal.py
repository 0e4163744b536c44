"""What is left of a job's pictures once some of them are deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.jobs.gallery import GalleryRows
from core.recall import Recall
from core.removal import Removal
from playground.webui import LocalWebui
from tests.core.ground import opened_ground
from tests.core.jobs.conftest import Bench


async def test_one_picture_goes_with_its_file_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    async with (
        LocalWebui(seconds_per_step=0.0, cheap_pictures=True) as webui,
        opened_ground(tmp_path, webui) as ground,
    ):
        gallery, recall = GalleryRows(ground.parts._engine), Recall(ground.parts)
        removal = Removal(ground.rows, ground.parts, gallery, ground.pictures)
        job_id = (await ground.submit(count=3)).job_id
        await ground.until_delivered(job_id)
        before = await recall.result(job_id)
        assert before is not None
        for _ in range(2):
            await removal.forget_one(job_id, 1)
        after = await recall.result(job_id)
        assert after is not None
        assert after.numbers == [0, 2]
        assert after.source(2) == before.source(2)
        with pytest.raises(UserError, match="no such picture"):
            after.source(1)
        assert [entry.number for entry in await gallery.fetch(job_id, "42")] == [0, 2]
        files = [ground.pictures.path(before.drawings[number].pictures[0].name) for number in range(3)]
        assert [file.exists() for file in files] == [True, False, True]


async def test_what_is_drawn_of_a_job_that_is_not_at_its_end_stays(bench: Bench) -> None:
    piece, _other = await bench.given(2)
    await bench.draw(piece)
    await bench.parts.forget(piece.job_id, piece.number)
    found = await bench.parts.fetch(piece.job_id)
    assert found is not None
    assert found[1][piece.number].drawing is not None
