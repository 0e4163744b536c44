"""Reading list routes as real servers answered them, and as broken ones might."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.webui import lists
from core.webui.catalog import Checkpoint, Named


def test_a_checkpoint_of_the_a_family_loses_its_server_path() -> None:
    body = [
        {
            "title": "xl/random-sd15-b.safetensors [2fb26fa5c1]",
            "model_name": "xl_random-sd15-b",
            "hash": "2fb26fa5c1",
            "sha256": "2fb26fa5c129243f",
            "filename": "/srv/webui/models/Stable-diffusion/xl/random-sd15-b.safetensors",
            "config": None,
        }
    ]
    assert lists.read_checkpoints(body) == (
        Checkpoint(
            title="xl/random-sd15-b.safetensors [2fb26fa5c1]",
            model_name="xl_random-sd15-b",
            hash="2fb26fa5c1",
            sha256="2fb26fa5c129243f",
            stem="random-sd15-b",
            file_name="random-sd15-b.safetensors",
        ),
    )


def test_a_windows_path_is_cut_down_too() -> None:
    (found,) = lists.read_checkpoints([{"title": "a.ckpt", "model_name": "a", "filename": "C:\\models\\a.ckpt"}])
    assert (found.stem, found.file_name, found.hash) == ("a", "a.ckpt", None)


def test_schedulers_are_known_by_their_label_and_by_their_name() -> None:
    body = [{"name": "sgm_uniform", "label": "SGM Uniform", "aliases": ["SGMUniform"]}, {"name": "x", "label": None}]
    assert lists.read_schedulers(body) == (Named("SGM Uniform", ("sgm_uniform", "SGMUniform")), Named("x"))


def test_samplers_without_aliases_are_read() -> None:
    assert lists.read_samplers([{"name": "UniPC"}, {"name": "LMS", "aliases": [None, 3, "k_lms", "LMS"]}]) == (
        Named("UniPC"),
        Named("LMS", ("k_lms",)),
    )


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["title", "model_name", "name", "label", "aliases", "filename", "x"]), inner)
    ),
    max_leaves=12,
)


@given(_junk)
def test_no_body_is_odd_enough_to_raise(body: Any) -> None:
    for found in (lists.read_checkpoints(body), lists.read_samplers(body), lists.read_schedulers(body)):
        assert isinstance(found, tuple)
    lists.read_loaded_checkpoint(body)
    lists.read_capabilities(body, progress=True, task_progress=True)


FULL = {"sd_model_checkpoint": None, "samples_format": "png", "CLIP_stop_at_last_layers": 2.0, "eta_ddim": 0}


@pytest.mark.parametrize(
    ("options", "progress", "n_iter"),
    [
        (FULL, True, True),
        (FULL, False, True),  # the progress route failed this once
        (None, True, True),
        (None, False, True),  # both failed: what most webuis do is the better guess
        ({"guidance_scale": 4}, False, True),  # Draw Things
        ({"samples_format": "png", "sd_model_checkpoint": "x"}, True, True),
        ({"samples_format": "png", "sd_model_checkpoint": "x"}, False, False),  # sd.cpp, KoboldCpp
    ],
)
def test_pictures_come_one_after_the_other_but_from_the_smallest(options: Any, progress: bool, n_iter: bool) -> None:
    assert lists.read_capabilities(options, progress=progress, task_progress=False).n_iter is n_iter


@pytest.mark.parametrize(
    ("options", "progress", "overrides", "clip_skip"),
    [
        (FULL, True, True, 2),
        ({**FULL, "CLIP_stop_at_last_layers": "2"}, True, True, None),
        ({**FULL, "CLIP_stop_at_last_layers": True}, True, True, None),
        ({**FULL, "CLIP_stop_at_last_layers": 99}, True, True, None),
        ({"samples_format": "png", "sd_model_checkpoint": "x"}, False, False, None),  # sd.cpp, KoboldCpp
        ({"guidance_scale": 4}, False, False, None),  # Draw Things
        (None, True, True, None),  # GET options was a 500
        (None, False, False, None),
    ],
)
def test_capabilities_follow_from_what_answered(
    options: Any, progress: bool, overrides: bool, clip_skip: int | None
) -> None:
    can = lists.read_capabilities(options, progress=progress, task_progress=False)
    assert (can.override_settings, can.clip_skip) == (overrides, clip_skip)
    assert (can.progress, can.interrupt, can.png_info) == (progress, progress, progress)
    assert not can.task_progress
