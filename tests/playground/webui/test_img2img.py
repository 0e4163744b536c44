"""What becomes of init images and masks, of upscaling, and what the answers say about it."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from playground.webui import LocalWebui
from tests.playground.webui.conftest import SMALL, Client, Reply

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def packed(image: Image.Image) -> str:
    """The image as base64 PNG."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def plain(colour: Any, size: tuple[int, int] = (64, 64), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


def half_mask(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """White in the right half."""
    mask = plain(0, size, "L")
    mask.paste(255, (size[0] // 2, 0, *size))
    return mask


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    """A webui that really draws."""
    async with LocalWebui(seconds_per_step=0.0) as running:
        yield running


async def redraw(client: Client, *images: Image.Image, **payload: Any) -> Reply:
    """A small img2img."""
    body = {"prompt": "a red fox", "seed": 7, "steps": 2, **SMALL, **payload}
    return await client.post("img2img", {**body, "init_images": [packed(image) for image in images]})


@pytest.mark.parametrize(
    ("mode", "left", "edge"), [(0, RED, GREEN), (1, GREEN, GREEN), (2, RED, BLUE), (3, RED, GREEN)]
)
async def test_each_resize_mode_shows_its_part_in_the_asked_size(
    client: Client, mode: int, left: tuple[int, int, int], edge: tuple[int, int, int]
) -> None:
    wide = plain(RED, (128, 64))
    wide.paste(GREEN, (32, 0, 96, 64))
    wide.paste(BLUE, (32, 0, 96, 16))
    (picture,) = (await redraw(client, wide, resize_mode=mode, denoising_strength=0)).pictures()
    assert picture.size == (64, 64)
    assert (picture.getpixel((2, 40)), picture.getpixel((32, 20))) == (left, edge)


async def test_only_the_white_part_of_a_mask_is_drawn_anew(client: Client) -> None:
    options = {"mask": packed(half_mask()), "inpaint_full_res": False, "mask_blur": 0, "denoising_strength": 1}
    (picture,) = (await redraw(client, plain(BLUE), **options)).pictures()
    assert picture.crop((0, 0, 32, 64)).getcolors() == [(32 * 64, BLUE)]
    assert picture.crop((32, 0, 64, 64)).getcolors() != [(32 * 64, BLUE)]


async def test_an_inverted_mask_draws_the_black_part(client: Client) -> None:
    options = {"mask": packed(half_mask()), "inpaint_full_res": False, "mask_blur": 0, "inpainting_mask_invert": 1}
    reply = await redraw(client, plain(BLUE), denoising_strength=1, **options)
    assert reply.pictures()[0].crop((32, 0, 64, 64)).getcolors() == [(32 * 64, BLUE)]
    assert "Mask mode: Inpaint not masked" in reply.info()["infotexts"][0]


async def test_a_mask_with_real_transparency_is_read_from_its_alpha(client: Client) -> None:
    mask = plain((255, 255, 255, 0), mode="RGBA")
    mask.paste((0, 0, 0, 255), (32, 0, 64, 64))
    options = {"mask": packed(mask), "inpaint_full_res": False, "mask_blur": 0, "denoising_strength": 1}
    (picture,) = (await redraw(client, plain(BLUE), **options)).pictures()
    assert picture.crop((0, 0, 32, 64)).getcolors() == [(32 * 64, BLUE)]


async def test_only_masked_keeps_the_size_of_the_init_image_and_says_so(client: Client) -> None:
    options = {"mask": packed(half_mask((100, 90))), "inpaint_full_res_padding": 8, "mask_blur": 0}
    reply = await redraw(client, plain(BLUE, (100, 90)), **options)
    assert reply.pictures()[0].size == (100, 90)
    extra = reply.info()["extra_generation_params"]
    assert (extra["Inpaint area"], extra["Masked area padding"]) == ("Only masked", 8)
    assert extra["Masked content"] == "fill"  # the API's default, not the page's


async def test_a_blank_mask_is_as_none(client: Client) -> None:
    options = {"mask": packed(plain(0, mode="L")), "denoising_strength": 0}
    reply = await redraw(client, plain(BLUE), **options)
    assert reply.status == 200
    assert "Inpaint area" not in reply.info()["extra_generation_params"]


async def test_transparent_parts_become_the_background_colour(client: Client) -> None:
    (picture,) = (await redraw(client, plain((0, 0, 0, 0), mode="RGBA"), denoising_strength=0)).pictures()
    assert picture.getcolors() == [(64 * 64, (255, 255, 255))]


async def test_a_batch_takes_an_image_for_each_picture_but_not_more(client: Client) -> None:
    reply = await redraw(client, plain(RED), plain(GREEN), batch_size=2, denoising_strength=0)
    assert [picture.getpixel((5, 5)) for picture in reply.pictures()] == [RED, GREEN]
    refused = await redraw(client, plain(RED), plain(GREEN), plain(BLUE), batch_size=2)
    assert refused.json()["errors"] == "bad number of images passed: 3; expecting 2 or less"


async def test_masks_stand_between_the_pictures_where_the_options_say_so() -> None:
    options = {"return_mask": True, "return_mask_composite": True}
    async with LocalWebui(seconds_per_step=0.0, options=options) as webui:
        mask = packed(half_mask())
        reply = await redraw(Client(webui), plain(BLUE), mask=mask, inpaint_full_res=False, n_iter=2)
    assert len(reply.files()) == 6
    assert len(reply.info()["infotexts"]) == 2
    assert ["parameters" in picture.info for picture in reply.pictures()] == [True, False, False] * 2


async def test_the_images_are_not_echoed_unless_asked_for(client: Client) -> None:
    hidden = await redraw(client, plain(RED))
    shown = await redraw(client, plain(RED), include_init_images=True)
    assert hidden.json()["parameters"]["init_images"] is None
    assert shown.json()["parameters"]["init_images"]


async def enlarge(client: Client, **query: Any) -> tuple[Image.Image, str]:
    """What extras make of a red picture of 40×20, and the sentence about it."""
    reply = await client.post("extra-single-image", {"image": packed(plain(RED, (40, 20))), **query})
    picture = Image.open(io.BytesIO(base64.b64decode(reply.json()["image"])))
    return picture, reply.json()["html_info"].removeprefix("<p>").removesuffix("</p>")


async def test_a_target_size_is_cropped_or_covered(client: Client) -> None:
    query = {"resize_mode": 1, "upscaling_resize_w": 100, "upscaling_resize_h": 100, "upscaler_1": "Lanczos"}
    cropped, said = await enlarge(client, **query)
    covering, _ = await enlarge(client, **query, upscaling_crop=False)
    assert (cropped.size, covering.size) == ((100, 100), (200, 100))
    assert said == "Postprocess upscale to: 100x100, Postprocess crop to: 100x100, Postprocess upscaler: Lanczos"


async def test_two_upscalers_and_face_restoration_are_named(client: Client) -> None:
    query = {"upscaler_2": "R-ESRGAN 4x+", "extras_upscaler_2_visibility": 0.5, "codeformer_visibility": 0.7}
    picture, said = await enlarge(client, upscaler_1="Lanczos", codeformer_weight=0.2, gfpgan_visibility=1, **query)
    assert picture.size == (80, 40)
    assert said.endswith(
        "Postprocess upscaler: Lanczos, Postprocess upscaler 2: R-ESRGAN 4x+, GFPGAN visibility: 1.0, "
        "CodeFormer visibility: 0.7, CodeFormer weight: 0.2"
    )


async def test_no_upscaler_gives_the_picture_back_as_it_was(client: Client) -> None:
    picture, said = await enlarge(client, upscaling_resize=4)
    assert (picture.size, said) == ((40, 20), "")


@pytest.mark.parametrize(
    "query", [{"resize_mode": 2}, {"upscaling_resize": 0}, {"gfpgan_visibility": 1.1}, {"upscaling_resize_w": 0}]
)
async def test_numbers_out_of_range_are_422(client: Client, query: dict[str, Any]) -> None:
    reply = await client.post("extra-single-image", {"image": packed(plain(RED)), "upscaler_1": "Lanczos", **query})
    assert reply.status == 422
    assert reply.json()["detail"][0]["loc"] == ["body", *query]
