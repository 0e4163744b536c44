"""One job at a time in order, its progress, interrupt and skip, and clients that leave."""

import asyncio

import pytest

from playground.webui import Fault, LocalWebui
from tests.playground.webui.conftest import Client, Reply

IDLE_STATE = {"skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no"} | {
    "sampling_step",
    "sampling_steps",
}


def start(client: Client, task_id: str, **payload: object) -> asyncio.Task[Reply]:
    """Send a txt2img without waiting for its answer."""
    return asyncio.create_task(client.draw(force_task_id=task_id, **payload))


async def _arrived(webui: LocalWebui, jobs: int) -> None:
    await webui.until(lambda: len(webui.renders) + len(webui.waiting) >= jobs, what=f"{jobs} jobs")


async def test_jobs_run_one_at_a_time_in_the_order_they_came(client: Client, webui: LocalWebui) -> None:
    webui.hold()
    jobs = []
    for index in range(4):
        jobs.append(start(client, f"t{index}"))
        await _arrived(webui, index + 1)
    assert webui.waiting == ["t1", "t2", "t3"]
    webui.release()
    await asyncio.gather(*jobs)
    assert [render.task_id for render in webui.renders] == ["t0", "t1", "t2", "t3"]
    ends = [render.finished or 0 for render in webui.renders]
    assert all(render.started >= end for render, end in zip(webui.renders[1:], ends, strict=False))


async def test_the_global_progress_is_001_until_the_first_step(client: Client, webui: LocalWebui) -> None:
    idle = (await client.get("progress")).json()
    assert (idle["progress"], idle["eta_relative"], idle["state"]["job"]) == (0.0, 0.0, "")
    assert set(idle["state"]) == IDLE_STATE
    webui.hold()
    job = start(client, "mine", steps=4)
    await webui.until(lambda: webui.running)
    held = (await client.get("progress?skip_current_image=true")).json()
    assert held["progress"] == 0.01
    assert held["state"]["job"] == "scripts_txt2img"
    webui.hold(at_step=2)
    webui.release()
    await job
    after = (await client.get("progress")).json()
    assert (after["progress"], after["state"]["job_count"], after["state"]["sampling_steps"]) == (0.0, 0, 4)


async def test_progress_counts_batches_and_steps(client: Client, webui: LocalWebui) -> None:
    webui.hold(at_step=1)
    job = start(client, "mine", steps=4, n_iter=2)
    await webui.until(lambda: webui.step == 1)
    now = (await client.get("progress")).json()
    assert now["progress"] == pytest.approx(0.01 + 1 / 8)
    assert now["state"]["job"] == "Batch 1 out of 2"
    assert (now["state"]["job_count"], now["state"]["sampling_step"]) == (2, 1)
    task = await client.task("mine")
    assert task["progress"] == pytest.approx(1 / 8)
    webui.release()
    await job


async def test_each_task_has_its_own_progress(client: Client, webui: LocalWebui) -> None:
    webui.hold(at_step=1)
    jobs = [start(client, "first")]
    await webui.until(lambda: webui.step == 1)
    for index, name in enumerate(("second", "third")):
        jobs.append(start(client, name))
        await _arrived(webui, index + 2)
    first, third = await client.task("first"), await client.task("third")
    assert (first["active"], first["queued"], first["completed"], first["progress"]) == (True, False, False, 0.5)
    assert (third["active"], third["queued"], third["progress"]) == (False, True, None)
    assert third["textinfo"] == "In queue: 2/2"
    assert (await client.ask("GET", "/internal/pending-tasks")).json() == {"size": 2, "tasks": ["second", "third"]}
    webui.release()
    await asyncio.gather(*jobs)
    done = await client.task("first")
    assert (done["active"], done["completed"]) == (False, True)


async def test_only_the_last_16_finished_tasks_are_remembered(client: Client) -> None:
    for index in range(17):
        await client.draw(force_task_id=f"t{index}")
    assert (await client.task("t0"))["completed"] is False
    assert (await client.task("t1"))["completed"] is True


async def test_a_failed_task_stays_active_until_another_one_starts(client: Client, webui: LocalWebui) -> None:
    webui.fault(Fault.OUT_OF_MEMORY)
    await client.draw(force_task_id="bad")
    task = await client.task("bad")
    assert (task["active"], task["completed"]) == (True, False)
    await client.draw(force_task_id="good")
    assert (await client.task("bad"))["active"] is False


async def preview_of(client: Client, task_id: str, known: int = -1) -> tuple[str | None, int]:
    body = {"id_task": task_id, "id_live_preview": known}
    answer = (await client.ask("POST", "/internal/progress", json=body)).json()
    return answer["live_preview"], answer["id_live_preview"]


async def test_a_preview_is_shown_after_ten_steps(client: Client, webui: LocalWebui) -> None:
    webui.hold(at_step=10)
    job = start(client, "mine", steps=20)
    await webui.until(lambda: webui.step == 10)
    assert (await client.get("progress")).json()["current_image"].startswith("iVBORw0KGgo")
    assert (await client.get("progress?skip_current_image=true")).json()["current_image"] is None
    live, _ = await preview_of(client, "mine")
    assert live is not None
    assert live.startswith("data:image/png;base64,")
    webui.release()
    await job


async def reached(webui: LocalWebui, step: int) -> None:
    await webui.until(lambda: webui.step == step, what=f"step {step}")


async def test_a_preview_stays_until_as_many_steps_are_done_again() -> None:
    options = {"show_progress_every_n_steps": 4, "live_previews_image_format": "jpeg", "samples_format": "webp"}
    async with LocalWebui(seconds_per_step=0.0, cheap_pictures=True, options=options) as webui:
        client = Client(webui)
        webui.hold(at_step=3)
        job = start(client, "mine", steps=20)
        seen: list[tuple[str | None, int]] = []
        for step in (3, 4, 7, 8):
            webui.hold(at_step=step)
            await reached(webui, step)
            seen.append(await preview_of(client, "mine"))
        assert seen[0] == (None, -1)
        assert seen[1] == seen[2]
        assert seen[2] != seen[3]
        assert [number for _, number in seen] == [-1, 1, 1, 2]
        assert str(seen[3][0]).startswith("data:image/jpeg;base64,")
        assert await preview_of(client, "mine", known=2) == (None, 2)
        assert await preview_of(client, "another") == (None, -1)
        assert (await client.get("progress")).json()["current_image"].startswith("UklGR")
        webui.release()
        await job


async def test_an_interrupt_gives_200_with_the_pictures_so_far(client: Client, webui: LocalWebui) -> None:
    webui.hold(at_step=1)
    job = start(client, "mine", steps=4, n_iter=3)
    await webui.until(lambda: webui.step == 1)
    assert (await client.post("interrupt")).json() == {}
    reply = await job
    assert reply.status == 200
    assert len(reply.files()) == len(reply.info()["infotexts"]) == 1
    assert len(reply.info()["all_seeds"]) == 3
    assert "Steps: 4" in reply.info()["infotexts"][0]
    assert webui.renders[0].state == "interrupted"
    assert (await client.get("progress")).json()["state"]["interrupted"] is True


async def test_an_interrupt_does_nothing_to_an_idle_server_or_a_later_job(client: Client, webui: LocalWebui) -> None:
    await client.post("interrupt")
    assert len((await client.draw(n_iter=2)).files()) == 2
    assert len(webui.interrupts) == 1
    assert webui.renders[0].state == "done"


async def test_a_skip_ends_only_the_present_pass(client: Client, webui: LocalWebui) -> None:
    webui.hold(at_step=1)
    job = start(client, "mine", steps=4, n_iter=2)
    await webui.until(lambda: webui.step == 1)
    assert (await client.post("skip")).json() is None
    await webui.until(lambda: webui.renders[0].state == "running" and webui.step == 1)
    webui.release()
    assert len((await job).files()) == 2


async def test_a_partial_picture_looks_unfinished() -> None:
    async with LocalWebui(seconds_per_step=0) as webui:
        client = Client(webui)
        webui.hold(at_step=2)
        job = start(client, "mine", steps=20)
        await webui.until(lambda: webui.step == 2)
        await client.post("interrupt")
        partial = (await job).pictures()[0]
        webui.release()
        whole = (await client.draw(steps=20)).pictures()[0]
    assert partial.size == whole.size
    assert partial.tobytes() != whole.tobytes()


async def test_a_client_that_leaves_does_not_stop_the_job(client: Client, webui: LocalWebui) -> None:
    webui.hold(at_step=1)
    job = start(client, "mine")
    await webui.until(lambda: webui.step == 1)
    job.cancel()
    await asyncio.wait({job})
    webui.release()
    await webui.until(lambda: webui.renders[0].state == "discarded")
    assert webui.renders[0].finished is not None
    assert (await client.draw()).status == 200


async def test_steps_and_loads_take_their_time() -> None:
    async with LocalWebui(seconds_per_step=0.01, load_seconds=0.1, cheap_pictures=True) as webui:
        await Client(webui).draw(steps=5, batch_size=2, override_settings={"sd_model_checkpoint": "paperCutout_v12"})
        (render,) = webui.renders
    assert (render.finished or 0) - render.started >= 0.1 + 5 * 2 * 0.01


async def test_refresh_waits_behind_the_running_job_and_lists_do_not(client: Client, webui: LocalWebui) -> None:
    webui.hold()
    job = start(client, "mine")
    await webui.until(lambda: webui.running)
    refresh = asyncio.create_task(client.post("refresh-checkpoints"))
    await webui.until(lambda: webui.count("/sdapi/v1/refresh-checkpoints"))
    assert (await client.get("sd-models")).status == 200
    assert not refresh.done()
    webui.release()
    assert (await refresh).json() is None
    await job


async def test_posting_options_loads_a_checkpoint_behind_the_running_job(client: Client, webui: LocalWebui) -> None:
    webui.hold()
    job = start(client, "mine")
    await webui.until(lambda: webui.running)
    change = asyncio.create_task(client.post("options", {"sd_model_checkpoint": "v1-5-pruned-emaonly"}))
    await webui.until(lambda: webui.count("/sdapi/v1/options"))
    assert webui.swaps == []
    webui.release()
    await asyncio.gather(job, change)
    assert webui.swaps == ["v1-5-pruned-emaonly"]


async def test_unloading_while_a_job_runs_breaks_that_job(client: Client, webui: LocalWebui) -> None:
    webui.hold()
    job = start(client, "mine")
    await webui.until(lambda: webui.running)
    assert (await client.post("unload-checkpoint")).json() == {}
    webui.release()
    assert (await job).json()["error"] == "AttributeError"
    assert (await client.draw()).status == 200


async def test_more_requests_than_threads_keep_even_progress_waiting() -> None:
    async with LocalWebui(seconds_per_step=0, cheap_pictures=True, threads=2) as webui:
        client = Client(webui)
        webui.hold()
        jobs = [start(client, "first"), start(client, "second")]
        await webui.until(lambda: webui.running and webui.waiting)
        progress = asyncio.create_task(client.get("progress"))
        await webui.until(lambda: webui.count("/sdapi/v1/progress"))
        assert not progress.done()
        webui.release()
        assert (await progress).status == 200
        await asyncio.gather(*jobs)
