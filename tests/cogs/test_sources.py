"""Which image is meant: a file or an address, and never both."""

from types import SimpleNamespace
from typing import Any

import pytest

from cogs.options import Addresses, read_addresses
from cogs.sources import at_most_one, exactly_one
from core.errors import UserError
from core.intake import Sent, Typed

ADDRESS = "https://example.com/fox.png?key=secret"
FILE: Any = SimpleNamespace(url="https://cdn.discordapp.com/fox.png", size=7)


def test_a_file_or_an_address_is_what_is_meant() -> None:
    assert exactly_one(FILE, None) == Sent(FILE.url, 7)
    assert exactly_one(None, ADDRESS) == Typed(ADDRESS)
    assert at_most_one(None, None, "mask") is None
    assert "secret" not in repr(exactly_one(None, ADDRESS))


def test_both_and_none_are_said() -> None:
    with pytest.raises(UserError, match="Attach the image or give its address, not both"):
        exactly_one(FILE, ADDRESS)
    with pytest.raises(UserError, match="Attach the mask or give its address, not both"):
        at_most_one(FILE, ADDRESS, "mask")
    with pytest.raises(UserError, match="no image: attach one"):
        exactly_one(None, None)


@pytest.mark.parametrize(
    ("extra", "addresses"),
    [
        (None, Addresses()),
        ("eta:1", Addresses()),
        (f"image_url:{ADDRESS} eta:1", Addresses(image=ADDRESS)),
        (f'mask_url:"{ADDRESS}" image_url=http://a/b:c=d', Addresses(image="http://a/b:c=d", mask=ADDRESS)),
    ],
)
def test_addresses_are_words_of_extra(extra: str | None, addresses: Addresses) -> None:
    assert read_addresses(extra) == addresses
