"""What works on an image alone, before it is queued: its finished size, its limits, its cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from msgspec import UNSET

from core.enlarging import check_upscale
from core.errors import UserError
from core.jobs.queue import entry
from core.limits import Limits
from core.request import GenerationRequest
from core.scheduling.cost import DESCRIBE_WORK, work_of
from core.scheduling.facts import BackendFacts
from core.scheduling.matching import ANY, Matcher
from core.understanding import Understanding
from core.webui.assets import Assets
from core.webui.catalog import Capabilities, Catalog, Checkpoint
from tests.core.jobs.conftest import new_job

ASKED = GenerationRequest(prompt="", task="upscale", image="i", width=1000, height=500, upscale_factor=2.0)
SIZED = replace(ASKED, upscale_factor=UNSET, upscale_width=1280, upscale_height=960)


def test_the_finished_size_follows_from_the_factor() -> None:
    checked = check_upscale(replace(ASKED, upscale_factor=1.5009), Limits())
    assert (checked.request.upscale_width, checked.request.upscale_height) == (1500, 750)
    assert checked.notes == ()
    assert check_upscale(SIZED, Limits()).request == SIZED


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"upscale_factor": 0.5}, "upscale_factor", 1.0),
        ({"upscale_factor": 64.0}, "upscale_factor", 8.0),
        ({"gfpgan": 2.0}, "gfpgan", 1.0),
        ({"codeformer": -1.0}, "codeformer", 0.0),
    ],
)
def test_numbers_outside_are_brought_inside_and_that_is_said(changes: dict[str, Any], field: str, value: float) -> None:
    checked = check_upscale(replace(ASKED, **changes), Limits())
    assert getattr(checked.request, field) == value
    assert len(checked.notes) == 1


def test_no_number_is_refused() -> None:
    with pytest.raises(UserError, match="Factor must be a number"):
        check_upscale(replace(ASKED, upscale_factor=math.nan), Limits())


def test_what_would_be_too_large_is_refused_with_what_would_do() -> None:
    large = replace(ASKED, width=3000, height=2000, upscale_factor=4.0)
    with pytest.raises(UserError, match=r"12000x8000.*The largest factor for this image is 2\.3\."):
        check_upscale(large, Limits())
    check_upscale(replace(large, upscale_factor=2.3), Limits())
    with pytest.raises(UserError, match="at most 8192 pixels a side"):
        check_upscale(replace(SIZED, upscale_width=9000, upscale_height=10), Limits())


@pytest.mark.parametrize(
    ("image", "shape", "size"),
    [
        ((4000, 3000), (16, 9), (5334, 3000)),
        ((4000, 3000), (16000, 9000), (5334, 3000)),
        ((3000, 4000), (16, 9), (7112, 4000)),
        ((4000, 3000), (4, 3), (4000, 3000)),
        ((640, 480), (1, 1), (640, 640)),
    ],
)
def test_a_shape_has_room_for_the_whole_image(
    image: tuple[int, int], shape: tuple[int, int], size: tuple[int, int]
) -> None:
    asked = replace(ASKED, width=image[0], height=image[1], upscale_factor=UNSET, shape=shape)
    checked = check_upscale(asked, Limits()).request
    assert (checked.upscale_width, checked.upscale_height, checked.shape) == (*size, UNSET)
    with pytest.raises(UserError, match="at most 8192 pixels a side"):
        check_upscale(replace(asked, shape=(999_000, 1)), Limits())


def test_a_size_below_the_image_s_own_is_refused() -> None:
    with pytest.raises(UserError) as refused:
        check_upscale(replace(SIZED, upscale_width=640, upscale_height=480), Limits())
    assert str(refused.value) == (
        "Your image has 1000x500 pixels already, so 640x480 would make it smaller. Say a larger size, or a factor."
    )
    cut = replace(SIZED, upscale_width=1000, upscale_height=200)
    assert check_upscale(cut, Limits()).request == cut


def test_an_upscale_has_no_seed_and_costs_its_finished_size() -> None:
    checked = Understanding().read(ASKED, None, None)
    assert checked.request.seed is UNSET
    assert checked.request.pictures == 1
    assert work_of(checked.request) == 2 * work_of(replace(SIZED, upscale_width=1000, upscale_height=1000))
    assert work_of(replace(ASKED, task="describe")) == DESCRIBE_WORK


def test_rows_from_before_are_drawings() -> None:
    assert GenerationRequest.from_json('{"prompt": "a fox"}').task == "draw"
    assert GenerationRequest.from_json(ASKED.to_json()) == ASKED


def test_no_checkpoint_is_loaded_for_what_draws_nothing() -> None:
    fields = Capabilities().fields | {"upscale"}
    catalog = Catalog(
        checkpoints=(Checkpoint("a.safetensors", "a"),),
        capabilities=Capabilities(fields=fields),
        assets=Assets(upscalers=("Lanczos",)),
    )
    backend = BackendFacts(key="gpu", up=True, idle=True, catalog=catalog, default_checkpoint="a")
    jobs = (new_job(), new_job(task="upscale", upscale_factor=2.0))
    drawn, upscaled = (Matcher([backend]).places(entry(job, 1)) for job in jobs)
    assert (drawn, upscaled) == ({"gpu": "a.safetensors"}, {"gpu": ANY})
