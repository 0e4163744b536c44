"""What a webui is and has, asked of a local one of each kind; and what stays known when it stumbles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from core.errors import AuthenticationFailed, NoApi, NotReady
from core.webui.assets import Assets
from core.webui.catalog import Catalog
from core.webui.dialects import DIALECTS, Speech
from core.webui.needs import Need, lacks
from core.webui.probing import CAPTION, EXTRAS, INTERROGATE
from playground.webui import Fault, LocalWebui
from tests.core.webui.conftest import RawServer, client_for, http
from tests.core.webui.features import WEBUIS
from tests.core.webui.test_features import SPEECH

EVERY = pytest.mark.parametrize("name", WEBUIS)
LONG = ("loras", "sd-vae", "sd-modules", "upscalers", "latent-upscale-modes", "prompt-styles", "scripts")
SIGNS = ("/sdapi/v1/version", "/sdcpp/v1/capabilities", "/api/extra/version", "/sdapi/v1/sd-modules")
SHORT = {
    "/sdapi/v1/sd-models",
    "/sdapi/v1/samplers",
    "/sdapi/v1/schedulers",
    "/sdapi/v1/options",
    "/sdapi/v1/progress",
    "/internal/progress",
}


def local(name: str, **options: Any) -> LocalWebui:
    return WEBUIS[name](**{"seconds_per_step": 0.0, "cheap_pictures": True, **options})


@EVERY
async def test_it_is_recognised_and_spoken_to_in_its_way(session: aiohttp.ClientSession, name: str) -> None:
    async with local(name) as webui:
        catalog = await client_for(webui.url, session).fetch_catalog()
    can = catalog.capabilities
    assert can.speech is SPEECH[name]
    assert can.fields >= DIALECTS[can.speech].fields
    assert not can.task_progress or "task_id" in DIALECTS[can.speech].keys


@EVERY
async def test_a_short_look_asks_for_the_short_lists_alone(session: aiohttp.ClientSession, name: str) -> None:
    async with local(name) as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        before = len(webui.requests)
        again = await client.fetch_catalog(known, whole=False)
        asked = [request.path for request in webui.requests[before:]]
    assert sorted(asked) == sorted(SHORT)
    assert again.assets is known.assets
    assert again.capabilities == known.capabilities
    assert again == known


async def test_nothing_is_asked_twice_in_a_whole_look(session: aiohttp.ClientSession) -> None:
    async with local("A1111") as webui:
        await client_for(webui.url, session).fetch_catalog()
        asked = [request.path for request in webui.requests]
    twice = {path for path in asked if asked.count(path) > 1}
    assert twice <= {"/sdapi/v1/sd-modules"}  # a sign of what it is, and a list
    assert len(asked) <= len(SHORT) + len(SIGNS) + len(LONG) + 1 + len((EXTRAS, INTERROGATE, CAPTION))


async def test_a_look_that_knows_nothing_yet_is_a_whole_one(session: aiohttp.ClientSession) -> None:
    async with local("Forge") as webui:
        catalog = await client_for(webui.url, session).fetch_catalog(None, whole=False)
    assert catalog.capabilities.speech is Speech.FORGE
    assert catalog.assets.modules


@pytest.mark.parametrize("name", ["A1111", "Forge", "SD.Next", "sd.cpp", "KoboldCpp"])
async def test_a_list_that_fails_now_is_still_known(session: aiohttp.ClientSession, name: str) -> None:
    async with local(name, **({"adetailer": True} if name == "A1111" else {})) as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        for route in (*(f"/sdapi/v1/{one}" for one in LONG), "/adetailer/v1/ad_model"):
            webui.fault(Fault.UNAVAILABLE, route=route, times=None)
        again = await client.fetch_catalog(known, whole=True)
        assert again.assets == known.assets
        assert again.capabilities == known.capabilities


@EVERY
@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.CLOSE_UNREAD])
async def test_a_sign_that_can_not_be_asked_for_now_is_not_missing(
    session: aiohttp.ClientSession, name: str, fault: Fault
) -> None:
    async with local(name) as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        for route in SIGNS:
            webui.fault(fault, route=route, times=None)
        again = await client.fetch_catalog(known, whole=True)
        assert again.capabilities.speech is known.capabilities.speech
        assert again.capabilities.fields == known.capabilities.fields


async def test_what_never_said_what_it_is_is_a_guess_until_it_does(session: aiohttp.ClientSession) -> None:
    async with local("SD.Next") as webui:
        client = client_for(webui.url, session)
        webui.fault(Fault.UNAVAILABLE, route="/sdapi/v1/version", times=2)
        looks = [await client.fetch_catalog()]
        looks += [await client.fetch_catalog(looks[-1], whole=True) for _ in range(2)]
        short = await client.fetch_catalog(looks[0], whole=False)
    can = [look.capabilities for look in looks]
    assert [(one.speech, one.recognised) for one in can[:2]] == [(Speech.A1111, False)] * 2
    assert (can[2].speech, can[2].recognised) == (Speech.SDNEXT, True)
    assert not short.capabilities.recognised


async def test_a_webui_that_forbids_a_sign_is_no_guess(session: aiohttp.ClientSession) -> None:
    async with local("A1111") as webui:
        webui.fault(Fault.UNAUTHORIZED, route="/sdapi/v1/version", times=None)
        can = (await client_for(webui.url, session).fetch_catalog()).capabilities
    assert (can.speech, can.recognised) == (Speech.A1111, True)


async def test_another_webui_at_the_same_address_is_another_one(session: aiohttp.ClientSession) -> None:
    async with local("SD.Next") as before:
        known = await client_for(before.url, session).fetch_catalog()
    async with local("A1111") as after:
        again = await client_for(after.url, session).fetch_catalog(known, whole=True)
    assert (known.capabilities.speech, again.capabilities.speech) == (Speech.SDNEXT, Speech.A1111)


async def test_faces_are_fixed_by_the_extension_where_it_is(session: aiohttp.ClientSession) -> None:
    found: dict[bool, Catalog] = {}
    for has_it in (False, True):
        async with local("A1111", adetailer=has_it) as webui:
            found[has_it] = await client_for(webui.url, session).fetch_catalog()
    assert found[True].assets.face_models[0].startswith("face_yolo")
    assert found[False].assets.face_models == ()
    assert not any(lacks(catalog, Need("option", "face_fix")) for catalog in found.values())


async def test_sdnext_can_only_fix_faces_with_the_extension(session: aiohttp.ClientSession) -> None:
    async with local("SD.Next") as webui:
        catalog = await client_for(webui.url, session).fetch_catalog()
    assert lacks(catalog, Need("option", "face_fix"))
    able = replace(
        catalog, capabilities=replace(catalog.capabilities, fields=catalog.capabilities.fields | {"face_fix"})
    )
    assert not lacks(able, Need("option", "face_fix"))


async def test_what_it_has_is_read_from_its_lists(session: aiohttp.ClientSession) -> None:
    async with local("A1111") as webui:
        assets = (await client_for(webui.url, session).fetch_catalog()).assets
    assert [lora.name for lora in assets.loras] == ["inkwash", "add_detail", "pixel_art"]
    assert assets.vaes == ("vae-ft-mse-840000-ema-pruned.safetensors",)
    assert "None" not in assets.upscalers
    assert assets.upscalers
    assert "Latent" in assets.latent_upscalers
    assert assets.styles == ("watercolour",)


LISTS: dict[str, bytes] = {
    "/sdapi/v1/sd-models": http("200 OK", b'[{"title":"a.safetensors","model_name":"a"}]'),
    "/sdapi/v1/samplers": http("200 OK", b'[{"name":"Euler"}]'),
    "/sdapi/v1/schedulers": http("200 OK", b"[]"),
    "/sdapi/v1/options": http("200 OK", b"{}"),
}


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", b'[{"name":"a"},', b"", b'{"detail":"starting"}', b"null", b'["a"'], ids=repr
)
async def test_loras_that_are_no_list_are_none_and_stay_as_known(
    session: aiohttp.ClientSession, raw: RawServer, body: bytes
) -> None:
    raw.answers = {**LISTS, "/sdapi/v1/loras": http("200 OK", b'[{"name":"ink"}]')}
    client = client_for(raw.url, session)
    known = await client.fetch_catalog()
    assert [lora.name for lora in known.assets.loras] == ["ink"]
    raw.answers["/sdapi/v1/loras"] = http("200 OK", body)
    assert (await client.fetch_catalog(known, whole=True)).assets.loras == known.assets.loras
    assert (await client.fetch_catalog()).assets == Assets()


async def test_loras_that_were_deleted_are_gone(session: aiohttp.ClientSession, raw: RawServer) -> None:
    raw.answers = {**LISTS, "/sdapi/v1/loras": http("200 OK", b'[{"name":"ink"}]')}
    client = client_for(raw.url, session)
    known = await client.fetch_catalog()
    raw.answers["/sdapi/v1/loras"] = http("200 OK", b"[]")
    assert (await client.fetch_catalog(known, whole=True)).assets.loras == ()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http("401 Unauthorized", b"{}"), AuthenticationFailed),
        (http("502 Bad Gateway", b"<html>"), NotReady),
        (http("404 Not Found", b'{"detail":"Not Found"}'), NoApi),
        (http("200 OK", b"<html>a page</html>"), NoApi),
    ],
)
async def test_where_no_short_list_can_be_read_it_is_no_webui(
    session: aiohttp.ClientSession, raw: RawServer, answer: bytes, error: type[Exception]
) -> None:
    raw.otherwise = answer
    with pytest.raises(error):
        await client_for(raw.url, session).fetch_catalog()
