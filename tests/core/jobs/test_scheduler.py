"""Which waiting job goes where: first come, first served, as properties."""

from hypothesis import given
from hypothesis import strategies as st

from core.jobs.scheduler import Assignment, BackendFacts, WaitingJob, can_draw, choose
from core.webui.catalog import Catalog, Checkpoint, Named

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
        known = catalog(*names, loaded=loaded) if draw(st.booleans()) else None
        up = known is not None and draw(st.booleans())
        facts.append(BackendFacts(f"webui {number}", up=up, idle=draw(st.booleans()), catalog=known))
    return facts


def backend(key: str, *names: str, idle: bool = True, up: bool = True, loaded: str | None = None) -> BackendFacts:
    return BackendFacts(key, up=up, idle=idle, catalog=catalog(*names, loaded=loaded))


some_waiting = st.lists(st.sampled_from([None, NOWHERE, *NAMES]), max_size=8).map(
    lambda wanted: [WaitingJob(f"job {number}", "42", float(number), name) for number, name in enumerate(wanted)]
)


def can_take(backend: BackendFacts, job: WaitingJob, backends: list[BackendFacts]) -> bool:
    if not backend.up or backend.catalog is None:
        return False
    hopeless = all(other.catalog is not None and not can_draw(job, other.catalog) for other in backends)
    return can_draw(job, backend.catalog) or hopeless


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
        assert by_key[assignment.backend].up
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
    return WaitingJob(job_id, "42", 0.0, wanted)


def test_a_backend_that_has_the_checkpoint_loaded_is_preferred() -> None:
    backends = [backend("cold", "dream", "paper", loaded="paper"), backend("warm", "dream", "paper", loaded="dream")]
    assert choose([job("1", "dream")], backends) == [Assignment("1", "warm")]
    assert choose([job("1", "ink"), job("2", "dream")], backends)[1:] == [Assignment("2", "warm")]


def test_a_checkpoint_is_recognised_by_any_of_its_names() -> None:
    backends = [backend("a", "paper"), backend("b", "dream")]
    for name in ("dream", "Dream.safetensors", "DREAM"):
        assert choose([job("1", name)], backends) == [Assignment("1", "b")]


def test_a_job_whose_checkpoint_is_only_on_a_busy_backend_lets_others_pass() -> None:
    backends = [backend("busy", "dream", idle=False), backend("idle", "paper")]
    assert choose([job("1", "dream"), job("2", "paper")], backends) == [Assignment("2", "idle")]


def test_a_job_waits_for_the_absent_backend_that_alone_has_its_checkpoint() -> None:
    backends = [backend("away", "dream", up=False), backend("here", "paper")]
    assert choose([job("1", "dream")], backends) == []


def test_a_job_waits_while_a_backend_that_may_have_its_checkpoint_never_answered() -> None:
    unknown = BackendFacts("unknown", up=False, idle=True, catalog=None)
    assert choose([job("1", "dream")], [unknown, backend("here", "paper")]) == []
    assert choose([job("2")], [unknown, backend("here", "paper")]) == [Assignment("2", "here")]


def test_a_sampler_and_a_scheduler_count_as_much_as_a_checkpoint() -> None:
    plain = BackendFacts("plain", up=True, idle=True, catalog=Catalog(samplers=(Named("Euler"),)))
    rich = BackendFacts(
        "rich",
        up=True,
        idle=True,
        catalog=Catalog(samplers=(Named("LCM"),), schedulers=(Named("Karras", ("karras",)),)),
    )
    assert choose([WaitingJob("1", "42", 0.0, sampler="lcm")], [plain, rich]) == [Assignment("1", "rich")]
    assert choose([WaitingJob("1", "42", 0.0, scheduler="karras")], [plain, rich]) == [Assignment("1", "rich")]


def test_a_checkpoint_that_nobody_has_goes_anywhere_to_be_refused_there() -> None:
    assert choose([job("1", NOWHERE)], [backend("a", "paper"), backend("b")]) == [Assignment("1", "a")]


def test_without_backends_or_jobs_nothing_is_chosen() -> None:
    assert choose([job("1")], []) == []
    assert choose([], [backend("a")]) == []
