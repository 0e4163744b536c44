"""Pictures are the same for the same prompt and seed, differ otherwise, and survive any text."""

import io
import random

import pytest
from PIL import Image, ImageChops, ImageStat

from playground.webui.art import Scene, paint, unfinish
from playground.webui.art.words import find_figures, find_settings
from playground.webui.images import cheap_png
from tests.playground.webui.conftest import Client


def scene(prompt: str = "a cat in a forest", seed: int = 1, size: tuple[int, int] = (192, 160)) -> Scene:
    return Scene(prompt, seed, str(seed), *size)


def distance(first: Image.Image, second: Image.Image) -> float:
    """The mean difference of two pictures' channels, 0..255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def test_the_same_prompt_and_seed_give_the_same_pixels() -> None:
    assert paint(scene()).tobytes() == paint(scene()).tobytes()


def test_another_seed_gives_a_clearly_different_picture() -> None:
    assert distance(paint(scene(seed=1)), paint(scene(seed=2))) > 10


def test_another_prompt_shows_another_figure() -> None:
    assert distance(paint(scene("a robot", 5)), paint(scene("a castle", 5))) > 3


def test_the_picture_has_the_asked_size_and_many_colours() -> None:
    picture = paint(scene(size=(256, 128)))
    assert picture.size == (256, 128)
    assert picture.mode == "RGB"
    assert picture.getcolors(2000) is None


@pytest.mark.parametrize(
    "prompt",
    ["", "лиса 🦊", "\ud800 lone", "\0\n\t", "x" * 6000, "word " * 1200, "<lora:a:1> (b:1.2)", "猫と森"],
)
def test_any_text_can_be_painted(prompt: str) -> None:
    paint(scene(prompt))


@pytest.mark.parametrize("size", [(8, 8), (64, 64), (16, 900), (900, 16)])
@pytest.mark.parametrize("prompt", ["city by the sea, snow mountains, birds, moon, forest", "castle, cat, flowers"])
def test_any_size_can_be_painted(size: tuple[int, int], prompt: str) -> None:
    assert paint(scene(prompt, size=size)).size == size


def test_words_choose_figures_and_settings() -> None:
    rng = random.Random(1)  # noqa: S311 - a picture's choices are no secret
    assert [figure.draw.__name__ for figure in find_figures("A Puppy and two kittens", rng)] == ["dog", "cat"]
    assert find_settings("a CITY by the ocean at night") == {"city", "sea", "moon"}
    assert find_settings("catalogue of foxgloves") == set()


def test_an_unfinished_picture_is_the_further_away_the_more_is_left() -> None:
    whole = paint(scene())
    near, far = unfinish(whole, "1", 0.2), unfinish(whole, "1", 0.8)
    assert 5 < distance(whole, near) < distance(whole, far)


def test_a_cheap_png_is_valid_and_differs_by_its_key() -> None:
    first, second = cheap_png(64, 48, b"abcdef", {"parameters": "a"}), cheap_png(64, 48, b"abcdeg", {})
    assert first != second
    with Image.open(io.BytesIO(first)) as picture:
        picture.load()
        assert picture.size == (64, 48)
        assert picture.info["parameters"] == "a"


async def test_the_same_request_gives_the_same_file(client: Client) -> None:
    first, again, other = await client.draw(), await client.draw(), await client.draw(seed=8)
    assert first.files() == again.files()
    assert first.files() != other.files()
