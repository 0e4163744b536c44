"""Which picture goes where: only where it can be drawn, and nothing idles that somebody could use. As properties."""

from collections import Counter, defaultdict
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.scheduling.facts import Account, BackendFacts, Decision, Reason, Waiting, WaitingJob
from core.scheduling.scheduler import can_draw, choose
from core.webui.catalog import Catalog, Named
from tests.core.scheduling.simulation import NAMES, backend, catalog, job, waiting

NOWHERE = "nowhere"


@st.composite
def some_backends(draw: st.DrawFn) -> list[BackendFacts]:
    facts = []
    for number in range(draw(st.integers(0, 4))):
        names = draw(st.lists(st.sampled_from(NAMES), unique=True))
        loaded = draw(st.sampled_from([None, *names]))
        known = catalog(*names, loaded=loaded) if draw(st.booleans()) else None
        facts.append(
            BackendFacts(
                key=f"webui {number}",
                up=known is not None and draw(st.booleans()),
                idle=draw(st.booleans()),
                catalog=known,
                accepts=draw(st.integers(0, 3)) > 0,
                speed=draw(st.none() | st.floats(0.05, 5)),
                load_seconds=draw(st.none() | st.floats(0.0, 60)),
                default_checkpoint=draw(st.sampled_from([None, NOWHERE, *NAMES])),
            )
        )
    return facts


@st.composite
def some_waiting(draw: st.DrawFn) -> Waiting:
    jobs = [
        job(
            f"job {number}",
            draw(st.sampled_from(["ann", "ben", "cy"])),
            draw(st.sampled_from([None, NOWHERE, *NAMES])),
            at=float(draw(st.integers(0, 5))),
            work=draw(st.floats(0.1, 50)),
            pictures=draw(st.integers(1, 4)),
            weight=draw(st.sampled_from([0.5, 1.0, 2.0])),
            avoid=draw(st.frozensets(st.sampled_from(["webui 0", "webui 1"]))),
        )
        for number in range(draw(st.integers(0, 8)))
    ]
    owners = {one.owner_id for one in jobs}
    accounts = {
        owner: Account(
            draw(st.floats(0, 100)),
            draw(st.sampled_from([None, *(one.job_id for one in jobs if one.owner_id == owner)])),
            draw(st.floats(0, 1000)),
        )
        for owner in sorted(owners)
    }
    return waiting(*jobs, accounts=accounts, clock=draw(st.floats(0, 100)))


def jobs_of(everybody: Waiting) -> dict[str, WaitingJob]:
    return {one.job_id: one for lane in everybody.lanes for one in lane.jobs}


def can_take(facts: BackendFacts, one: WaitingJob, backends: list[BackendFacts]) -> bool:
    hopeless = all(other.catalog is not None and not can_draw(one, other.catalog) for other in backends)

    def able(other: BackendFacts) -> bool:
        is_open = other.up and other.accepts and other.catalog is not None
        return is_open and (hopeless or (other.catalog is not None and can_draw(one, other.catalog)))

    others = any(able(other) and other.key not in one.avoid for other in backends)
    return able(facts) and not (others and facts.key in one.avoid)


NOW = 500.0


@given(some_waiting(), some_backends())
def test_no_backend_is_given_two_and_no_job_more_pictures_than_wait(
    everybody: Waiting, backends: list[BackendFacts]
) -> None:
    chosen = choose(everybody, backends, NOW).assignments
    assert len({one.backend for one in chosen}) == len(chosen)
    for job_id, times in Counter(one.job_id for one in chosen).items():
        assert times <= jobs_of(everybody)[job_id].pictures


@given(some_waiting(), some_backends())
def test_a_job_goes_only_where_it_can_be_drawn_and_nobody_works(
    everybody: Waiting, backends: list[BackendFacts]
) -> None:
    by_key = {one.key: one for one in backends}
    for one in choose(everybody, backends, NOW).assignments:
        assert by_key[one.backend].idle
        assert can_take(by_key[one.backend], jobs_of(everybody)[one.job_id], backends)
        assert one.owner_id == jobs_of(everybody)[one.job_id].owner_id


@given(some_waiting(), some_backends())
def test_no_backend_idles_that_a_waiting_picture_could_use(everybody: Waiting, backends: list[BackendFacts]) -> None:
    chosen = choose(everybody, backends, NOW).assignments
    given_out = Counter(one.job_id for one in chosen)
    left_over = [one for one in jobs_of(everybody).values() if one.pictures > given_out[one.job_id]]
    busy = {one.backend for one in chosen}
    for facts in backends:
        if facts.idle and facts.key not in busy:
            assert not any(can_take(facts, one, backends) for one in left_over)


@given(some_waiting(), some_backends(), st.randoms(use_true_random=False))
def test_the_same_question_gets_the_same_answer_whoever_is_named_first(
    everybody: Waiting, backends: list[BackendFacts], random: Random
) -> None:
    lanes = list(everybody.lanes)
    random.shuffle(lanes)
    assert choose(replace(everybody, lanes=lanes), tuple(backends), NOW) == choose(everybody, backends, NOW)


@given(some_waiting(), some_backends())
def test_what_is_charged_is_on_the_accounts_and_nothing_else_is(
    everybody: Waiting, backends: list[BackendFacts]
) -> None:
    decision = choose(everybody, backends, NOW)
    assert decision.clock >= everybody.clock
    charged: defaultdict[str, float] = defaultdict(float)
    for one in decision.assignments:
        charged[one.owner_id] += one.charged
        assert one.charged > 0
    for lane in everybody.lanes:
        account = decision.accounts.get(lane.owner_id, lane.account)
        if lane.owner_id in charged:
            level = max(lane.account.given, everybody.clock)
            assert abs(account.given - level - charged[lane.owner_id]) < 1e-6
        else:
            assert account.given == lane.account.given


def places(decision: Decision) -> list[tuple[str, str]]:
    return [(one.job_id, one.backend) for one in decision.assignments]


def test_a_backend_that_has_the_checkpoint_loaded_is_preferred() -> None:
    backends = [backend("cold", "dream", "paper", loaded="paper"), backend("warm", "dream", "paper", loaded="dream")]
    assert places(choose(waiting(job("1", wanted="dream")), backends, 0)) == [("1", "warm")]
    both = waiting(job("1", "ann", "paper"), job("2", "ben", "dream"))
    assert sorted(places(choose(both, backends, 0))) == [("1", "cold"), ("2", "warm")]


def test_a_checkpoint_is_recognised_by_any_of_its_names() -> None:
    backends = [backend("a", "paper"), backend("b", "dream")]
    for name in ("dream", "Dream.safetensors", "DREAM"):
        assert places(choose(waiting(job("1", wanted=name)), backends, 0)) == [("1", "b")]


def test_a_job_whose_checkpoint_is_only_on_a_busy_backend_lets_others_pass() -> None:
    backends = [backend("busy", "dream", idle=False), backend("idle", "paper")]
    both = waiting(job("1", "ann", "dream"), job("2", "ben", "paper", at=1.0))
    assert places(choose(both, backends, 0)) == [("2", "idle")]


def test_a_job_waits_for_the_absent_backend_that_alone_has_its_checkpoint() -> None:
    for away in (backend("away", "dream", up=False), backend("away", "dream", accepts=False)):
        decision = choose(waiting(job("1", wanted="dream")), [away, backend("here", "paper")], 0)
        assert decision == Decision((), {}, 0.0)


def test_a_job_waits_while_a_backend_that_may_have_its_checkpoint_never_answered() -> None:
    unknown = BackendFacts(key="unknown", up=False, idle=True, catalog=None)
    here = backend("here", "paper")
    assert places(choose(waiting(job("1", wanted="dream")), [unknown, here], 0)) == []
    assert places(choose(waiting(job("2")), [unknown, here], 0)) == [("2", "here")]


def test_a_sampler_and_a_scheduler_count_as_much_as_a_checkpoint() -> None:
    euler = Catalog(samplers=(Named("Euler"),))
    lcm = Catalog(samplers=(Named("LCM"),), schedulers=(Named("Karras", ("karras",)),))
    plain = BackendFacts(key="plain", up=True, idle=True, catalog=euler)
    rich = BackendFacts(key="rich", up=True, idle=True, catalog=lcm)
    for asked in (replace(job("1"), sampler="lcm"), replace(job("1"), scheduler="karras")):
        assert places(choose(waiting(asked), [plain, rich], 0)) == [("1", "rich")]


def test_a_checkpoint_that_nobody_has_goes_anywhere_to_be_refused_there() -> None:
    nowhere = waiting(job("1", wanted=NOWHERE))
    assert places(choose(nowhere, [backend("a", "paper"), backend("b")], 0)) == [("1", "a")]
    avoiding = waiting(job("1", wanted=NOWHERE, avoid=frozenset({"a"})))
    assert places(choose(avoiding, [backend("a", "paper"), backend("b")], 0)) == [("1", "b")]


def test_a_backend_that_failed_at_a_job_is_given_it_again_only_where_no_other_is_left() -> None:
    failed = job("1", wanted="dream", avoid=frozenset({"a"}))
    assert places(choose(waiting(failed), [backend("a", "dream"), backend("b", "dream")], 0)) == [("1", "b")]
    busy = backend("b", "dream", idle=False)
    assert places(choose(waiting(failed), [backend("a", "dream"), busy], 0)) == []
    down = backend("b", "dream", up=False)
    assert places(choose(waiting(failed), [backend("a", "dream"), down], 0)) == [("1", "a")]


def test_pictures_of_one_request_are_spread_over_the_idle_backends() -> None:
    backends = [backend("a", "dream"), backend("b", "dream"), backend("busy", "dream", idle=False), backend("c", "ink")]
    decision = choose(waiting(job("1", wanted="dream", pictures=4)), backends, 0)
    assert sorted(places(decision)) == [("1", "a"), ("1", "b")]
    assert places(choose(waiting(job("1", wanted="dream")), backends, 0)) == [("1", "a")]


def test_a_job_that_names_no_checkpoint_is_drawn_with_the_default_one() -> None:
    both = waiting(job("1", "ann"), job("2", "ben", "paper", at=1.0))
    with_default = [backend("a", "dream", "paper", loaded="paper", default="dream")]
    assert places(choose(both, with_default, 0)) == [("2", "a")]
    unknown_default = [backend("a", "dream", "paper", loaded="paper")]
    assert places(choose(both, unknown_default, 0)) == [("1", "a")]


def test_a_checkpoint_is_loaded_where_the_loaded_one_is_wanted_by_nobody() -> None:
    backends = [backend("wanted", *NAMES, loaded="dream"), backend("unwanted", *NAMES, loaded="ink")]
    everybody = waiting(job("1", "ann", "paper"), job("2", "ben", "dream", pictures=9), accounts={"ben": Account(1.5)})
    assert places(choose(everybody, backends, 0))[0] == ("1", "unwanted")


def test_a_second_webui_rather_loads_what_no_other_has_loaded() -> None:
    backends = [backend("busy", *NAMES, loaded="dream", idle=False), backend("idle", *NAMES)]
    everybody = waiting(job("1", "ann", "dream", pictures=3), job("2", "ben", "paper", at=1.0, pictures=3))
    assert places(choose(everybody, backends, 0)) == [("2", "idle")]


def test_every_turn_says_why() -> None:
    here = [backend("a", *NAMES, loaded="dream")]
    ann, ben = job("1", "ann", "paper"), job("2", "ben", "dream", at=1.0)

    def why(*jobs: WaitingJob, now: float = 0.0, accounts: dict[str, Account] | None = None) -> Reason:
        return choose(waiting(*jobs, accounts=accounts), here, now).assignments[0].reason

    assert why(ann) is Reason.ALONE
    assert why(ann, ben) is Reason.LOADED
    assert why(replace(ann, checkpoint="dream"), ben) is Reason.FAIR
    assert why(ann, ben, now=200.0, accounts={"ann": Account(0.0, "1", 80.0)}) is Reason.PATIENCE
    here.append(backend("b", *NAMES, loaded="paper", idle=False))
    assert why(replace(ann, pictures=3), replace(ben, checkpoint="ink", pictures=3)) is Reason.WANTED


def test_without_backends_or_jobs_nothing_is_chosen() -> None:
    assert choose(waiting(job("1")), [], 0).assignments == ()
    assert choose(waiting(), [backend("a")], 0).assignments == ()
