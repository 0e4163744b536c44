"""Every fault does to a request what it says, is met as often as asked, and leaves the next request alone."""

import asyncio
import io
import json

import aiohttp
import pytest
from PIL import Image

from playground.webui import Fault, LocalWebui
from tests.playground.webui.conftest import Client

DISCORDS_LIMIT = 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("fault", "status", "text", "drawn"),
    [
        (Fault.NO_API, 404, b'{"detail":"Not Found"}', 0),
        (Fault.UNAUTHORIZED, 401, b"Incorrect username or password", 0),
        (Fault.TOO_MANY_REQUESTS, 429, b"Too many requests", 0),
        (Fault.UNAVAILABLE, 503, b"Service Unavailable", 0),
        (Fault.HTML_200, 200, b"<!DOCTYPE html>", 0),
        (Fault.HTML_502, 502, b"502 Bad Gateway", 0),
        (Fault.LEAKY_ERROR, 500, b"gpu-box.studio.internal", 0),
        (Fault.OUT_OF_MEMORY, 500, b"CUDA out of memory", 1),
        (Fault.NAN, 500, b"NansException", 1),
        (Fault.MODEL_NOT_FOUND, 500, b"Could not find checkpoint with name", 1),
    ],
)
async def test_an_error_is_answered_once_and_then_all_is_well(
    client: Client, webui: LocalWebui, fault: Fault, status: int, text: bytes, drawn: int
) -> None:
    webui.fault(fault)
    reply = await client.draw()
    assert reply.status == status
    assert text in reply.body
    assert len(webui.renders) == drawn
    assert all(render.state == "failed" for render in webui.renders)
    assert (await client.draw()).status == 200


@pytest.mark.parametrize(
    ("fault", "key", "value"),
    [
        (Fault.OUT_OF_MEMORY_200, "images", []),
        (Fault.BLANK_IMAGE, "images", [""]),
        (Fault.NULL_IMAGES, "images", None),
        (Fault.GARBAGE_BASE64, "images", ["%%% not base64 %%%"]),
        (Fault.INFO_EMPTY, "info", ""),
        (Fault.INFO_NOT_JSON, "info", "Steps: 20, Sampler: Euler a"),
    ],
)
async def test_a_200_can_be_wrong(client: Client, webui: LocalWebui, fault: Fault, key: str, value: object) -> None:
    webui.fault(fault)
    reply = await client.draw()
    assert reply.status == 200
    assert reply.json()[key] == value


async def test_info_can_be_missing_and_an_image_none(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.INFO_MISSING)
    webui.fault(Fault.NOT_AN_IMAGE)
    assert "info" not in (await client.draw()).json()
    with pytest.raises(OSError, match="cannot identify"):
        (await client.draw()).pictures()


async def test_metadata_can_be_missing_from_the_picture(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.NO_METADATA)
    reply = await client.draw()
    assert "parameters" not in reply.pictures()[0].info
    assert reply.info()["infotexts"]


@pytest.mark.parametrize(("fault", "pillow"), [(Fault.JPEG, "JPEG"), (Fault.WEBP, "WEBP")])
async def test_the_format_can_be_another(client: Client, webui: LocalWebui, fault: Fault, pillow: str) -> None:
    webui.fault(fault)
    assert (await client.draw()).pictures()[0].format == pillow


async def test_a_picture_can_be_black(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.BLACK_IMAGE)
    assert (await client.draw()).pictures()[0].getcolors() == [(64 * 64, (0, 0, 0))]


async def test_a_picture_can_be_missing_or_a_grid_come_first(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.FEWER_IMAGES)
    webui.fault(Fault.GRID_FIRST)
    fewer = await client.draw(n_iter=3)
    assert (len(fewer.files()), len(fewer.info()["infotexts"]), len(fewer.info()["all_seeds"])) == (2, 2, 3)
    grid = await client.draw(n_iter=4)
    assert grid.info()["index_of_first_image"] == 1
    assert [picture.size for picture in grid.pictures()] == [(128, 128), *[(64, 64)] * 4]


async def test_another_checkpoint_can_be_used_than_asked(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.WRONG_CHECKPOINT)
    assert (await client.draw()).info()["sd_model_name"] == "paperCutout_v12"
    assert (await client.draw()).info()["sd_model_name"] == "dreamLandscapes_v4"


async def test_a_png_can_be_larger_than_discord_takes(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.HUGE_PNG)
    webui.fault(Fault.HUGE_PNG, amount=100_000)
    huge = (await client.draw()).files()[0]
    assert len(huge) > DISCORDS_LIMIT
    with Image.open(io.BytesIO(huge)) as picture:
        assert "Seed: 7" in picture.info["parameters"]
    assert 100_000 <= len((await client.draw()).files()[0]) < 200_000


async def test_a_422_can_echo_megabytes(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.VALIDATION_ECHO)
    reply = await client.draw()
    assert reply.status == 422
    assert len(reply.body) > 5_000_000
    assert reply.json()["detail"][0]["ctx"]["doc"].startswith('{"prompt"')


@pytest.mark.parametrize(
    ("fault", "drawn"), [(Fault.CLOSE_UNREAD, 0), (Fault.CLOSE_BEFORE_ANSWER, 1), (Fault.CLOSE_MID_BODY, 1)]
)
async def test_the_connection_can_close(client: Client, webui: LocalWebui, fault: Fault, drawn: int) -> None:
    webui.fault(fault)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)):
        await client.draw()
    assert [render.state for render in webui.renders] == ["done"] * drawn
    assert (await client.draw()).status == 200


async def test_json_can_stop_half_way(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.TRUNCATED_JSON)
    reply = await client.draw()
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.TRICKLE])
async def test_an_answer_can_be_slow_and_whole(client: Client, webui: LocalWebui, fault: Fault) -> None:
    webui.fault(fault, amount=0.1)
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert (await client.draw()).files()
    assert loop.time() - before >= 0.1


@pytest.mark.parametrize("fault", [Fault.HTML_504, Fault.HTML_524])
async def test_a_proxy_gives_up_while_the_picture_is_drawn(client: Client, webui: LocalWebui, fault: Fault) -> None:
    webui.fault(fault)
    webui.hold()
    reply = await client.draw()
    assert reply.status in (504, 524)
    assert reply.headers["Content-Type"] == "text/html"
    webui.release()
    await webui.until(lambda: webui.renders and webui.renders[0].state == "discarded")
    assert webui.renders[0].finished is not None


async def test_a_request_can_hang_until_it_is_let_go(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.HANG)
    job = asyncio.create_task(client.draw())
    await webui.until(lambda: webui.hanging)
    assert webui.renders == []
    webui.unhang()
    assert (await job).status == 200


async def test_a_hanging_request_whose_client_left_is_dropped(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.HANG)
    job = asyncio.create_task(client.draw())
    await webui.until(lambda: webui.hanging)
    job.cancel()
    await asyncio.wait({job})
    await client.get("samplers")  # by now the server has seen the other connection close
    webui.unhang()
    await webui.until(lambda: not webui.hanging)
    assert (await client.draw(seed=8)).status == 200
    assert [render.seed for render in webui.renders] == [8]


async def test_faults_are_counted_and_meet_their_route_only(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.UNAVAILABLE, times=2)
    webui.fault(Fault.NO_API, times=None, route="/sdapi/v1/sd-*")
    assert [(await client.draw()).status for _ in range(3)] == [503, 503, 200]
    assert [(await client.get(name)).status for name in ("sd-models", "sd-vae", "samplers")] == [404, 404, 200]
    webui.clear_faults()
    assert (await client.get("sd-models")).status == 200


async def test_refused_connections_come_back_on_the_same_port_with_the_job_alive(
    client: Client, webui: LocalWebui
) -> None:
    port = webui.port
    webui.hold()
    job = asyncio.create_task(client.draw())
    await webui.until(lambda: webui.running)
    webui.refuse_connections()
    with pytest.raises(aiohttp.ClientConnectionError):
        await job
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("options")
    await webui.accept_connections()
    assert webui.port == port
    webui.release()
    await webui.until(lambda: webui.renders[0].state == "discarded")
    assert (await client.draw()).status == 200


async def test_a_restart_forgets_jobs_and_tasks_and_comes_back_in_phases(client: Client, webui: LocalWebui) -> None:
    await client.draw(force_task_id="before")
    webui.hold()
    job = asyncio.create_task(client.draw())
    await webui.until(lambda: webui.running)
    restart = asyncio.create_task(webui.restart(refused=0.0, routes_missing=0.1, lists_empty=0.1))
    with pytest.raises(aiohttp.ClientConnectionError):
        await job
    await webui.until(lambda: webui.routes_missing, what="routes to be missing")
    await webui.until(lambda: webui.lists_empty and not webui.routes_missing, what="routes to be there")
    await restart
    webui.release()
    assert (await client.get("sd-models")).json()
    assert (await client.task("before"))["completed"] is False
    assert [render.state for render in webui.renders] == ["done", "discarded"]
    assert (await client.draw()).status == 200


async def test_a_starting_webui_has_no_routes_and_then_empty_lists(client: Client, webui: LocalWebui) -> None:
    webui.routes_missing = webui.lists_empty = True
    assert (await client.get("sd-models")).status == 404
    webui.routes_missing = False
    assert [(await client.get(name)).json() for name in ("sd-models", "samplers", "loras")] == [[], [], []]


async def test_stopping_leaves_nothing_behind() -> None:
    webui = LocalWebui(cheap_pictures=True)
    await webui.start()
    client = Client(webui)
    webui.hold()
    webui.fault(Fault.HANG, route="/sdapi/v1/options")
    jobs = [asyncio.create_task(client.draw()), asyncio.create_task(client.get("options"))]
    await webui.until(lambda: webui.running and webui.hanging)
    await webui.stop()
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(result, aiohttp.ClientConnectionError) for result in results)
    current = asyncio.current_task()
    assert {task for task in asyncio.all_tasks() if task is not current} == set()


async def test_waiting_in_vain_says_for_what(webui: LocalWebui) -> None:
    with pytest.raises(TimeoutError, match="for a second render"):
        await webui.until(lambda: len(webui.renders) == 2, timeout=0.01, what="a second render")


async def test_an_idle_connection_is_closed_after_five_seconds_as_uvicorn_does() -> None:
    async with LocalWebui(keep_alive=0.1) as webui:
        reader, writer = await asyncio.open_connection("127.0.0.1", webui.port)
        writer.write(b"GET /internal/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.read()).endswith(b"{}")  # read() ends because the server closes
        writer.close()
        await writer.wait_closed()
