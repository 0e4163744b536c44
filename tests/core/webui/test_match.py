"""Whether a webui has what is asked for by name."""

import pytest

from core.webui.catalog import Catalog, Checkpoint, Named
from core.webui.match import offers

CATALOG = Catalog(
    checkpoints=(Checkpoint("dream.ckpt [0123456789]", "dream", "0123456789", stem="dream"),),
    samplers=(Named("Euler a", ("k_euler_a",)),),
    schedulers=(Named("Karras", ("karras",)),),
)


@pytest.mark.parametrize(
    ("checkpoint", "sampler", "scheduler", "has"),
    [
        (None, None, None, True),
        ("dream", "k_euler_a", "KARRAS", True),
        ("0123456789", None, None, True),
        ("paper", "Euler a", "Karras", False),
        ("dream", "Euler b", "Karras", False),
        ("dream", "Euler a", "Simple", False),
    ],
)
def test_a_webui_offers_what_it_has_every_name_of(
    checkpoint: str | None, sampler: str | None, scheduler: str | None, has: bool
) -> None:
    assert offers(CATALOG, checkpoint=checkpoint, sampler=sampler, scheduler=scheduler) is has


def test_an_empty_webui_offers_what_nobody_chose() -> None:
    assert offers(Catalog(), checkpoint=None, sampler=None, scheduler=None)
    assert not offers(Catalog(), checkpoint="dream", sampler=None, scheduler=None)
