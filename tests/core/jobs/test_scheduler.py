"""Which waiting job goes where: first come, first served, as properties."""

from hypothesis import given
from hypothesis import strategies as st

from core.jobs.scheduler import Assignment, BackendFacts, WaitingJob, choose
from core.webui.catalog import Catalog, Checkpoint, find_checkpoint

NAMES = ("dream", "paper", "ink")
NOWHERE = "nowhere"


def checkpoint(name: str) -> Checkpoint:
    return Checkpoint(title=f"{name}.safetensors", model_name=name, stem=name)


def catalog(*names: str, loaded: str | None = None) -> Catalog:
    return Catalog(checkpoints=tuple(checkpoint(name) for name in names), loaded_checkpoint=loaded)


@st.composite
def some_backends(draw: st.DrawFn) -> list[BackendFacts]:
    facts = []
    for number in range(draw(st.integers(0, 4))):
        names = draw(st.lists(st.sampled_from(NAMES), unique=True))
        loaded = draw(st.sampled_from([None, *names]))
        facts.append(BackendFacts(f"webui {number}", draw(st.booleans()), catalog(*names, loaded=loaded)))
    return facts


some_waiting = st.lists(st.sampled_from([None, NOWHERE, *NAMES]), max_size=8).map(
    lambda wanted: [WaitingJob(f"job {number}", "42", name, float(number)) for number, name in enumerate(wanted)]
)


def can_take(backend: BackendFacts, job: WaitingJob, backends: list[BackendFacts]) -> bool:
    if job.checkpoint is None or find_checkpoint(backend.catalog, job.checkpoint):
        return True
    return not any(find_checkpoint(other.catalog, job.checkpoint) for other in backends)


@given(some_waiting, some_backends())
def test_no_job_and_no_backend_is_given_twice(waiting: list[WaitingJob], backends: list[BackendFacts]) -> None:
    chosen = choose(waiting, backends)
    assert len({assignment.job_id for assignment in chosen}) == len(chosen)
    assert len({assignment.backend for assignment in chosen}) == len(chosen)


@given(some_waiting, some_backends())
def test_a_job_goes_only_where_it_can_be_drawn_and_nobody_works(
    waiting: list[WaitingJob], backends: list[BackendFacts]
) -> None:
    jobs = {job.job_id: job for job in waiting}
    by_key = {backend.key: backend for backend in backends}
    for assignment in choose(waiting, backends):
        assert by_key[assignment.backend].idle
        assert can_take(by_key[assignment.backend], jobs[assignment.job_id], backends)


@given(some_waiting, some_backends())
def test_nobody_is_overtaken_on_a_backend_that_would_have_done(
    waiting: list[WaitingJob], backends: list[BackendFacts]
) -> None:
    chosen = {assignment.job_id: assignment.backend for assignment in choose(waiting, backends)}
    by_key = {backend.key: backend for backend in backends}
    for position, job in enumerate(waiting):
        if job.job_id in chosen:
            continue
        for later in waiting[position + 1 :]:
            if later.job_id in chosen:
                assert not can_take(by_key[chosen[later.job_id]], job, backends)


@given(some_waiting, some_backends())
def test_no_backend_idles_that_a_waiting_job_could_use(waiting: list[WaitingJob], backends: list[BackendFacts]) -> None:
    chosen = choose(waiting, backends)
    given_out = {assignment.backend for assignment in chosen}
    left_over = [job for job in waiting if job.job_id not in {assignment.job_id for assignment in chosen}]
    for backend in backends:
        if backend.idle and backend.key not in given_out:
            assert not any(can_take(backend, job, backends) for job in left_over)


@given(some_waiting, some_backends())
def test_the_same_question_gets_the_same_answer(waiting: list[WaitingJob], backends: list[BackendFacts]) -> None:
    assert choose(waiting, backends) == choose(tuple(waiting), tuple(backends))


def job(job_id: str, wanted: str | None = None) -> WaitingJob:
    return WaitingJob(job_id, "42", wanted, 0.0)


def test_a_backend_that_has_the_checkpoint_loaded_is_preferred() -> None:
    backends = [
        BackendFacts("cold", True, catalog("dream", "paper", loaded="paper")),
        BackendFacts("warm", True, catalog("dream", "paper", loaded="dream")),
    ]
    assert choose([job("1", "dream")], backends) == [Assignment("1", "warm")]
    assert choose([job("1", "ink"), job("2", "dream")], backends)[1:] == [Assignment("2", "warm")]


def test_a_checkpoint_is_recognised_by_any_of_its_names() -> None:
    backends = [BackendFacts("a", True, catalog("paper")), BackendFacts("b", True, catalog("dream"))]
    for name in ("dream", "Dream.safetensors", "DREAM"):
        assert choose([job("1", name)], backends) == [Assignment("1", "b")]


def test_a_job_whose_checkpoint_is_only_on_a_busy_backend_lets_others_pass() -> None:
    backends = [BackendFacts("busy", False, catalog("dream")), BackendFacts("idle", True, catalog("paper"))]
    assert choose([job("1", "dream"), job("2", "paper")], backends) == [Assignment("2", "idle")]


def test_a_checkpoint_that_nobody_has_goes_anywhere_to_be_refused_there() -> None:
    backends = [BackendFacts("a", True, catalog("paper")), BackendFacts("b", True, catalog())]
    assert choose([job("1", NOWHERE)], backends) == [Assignment("1", "a")]


def test_without_backends_or_jobs_nothing_is_chosen() -> None:
    assert choose([job("1")], []) == []
    assert choose([], [BackendFacts("a", True, catalog())]) == []
