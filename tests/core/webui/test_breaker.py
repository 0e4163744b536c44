"""The circuit breaker: alone, through every order of events, and against the sentences it is made of."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.errors import (
    AuthenticationFailed,
    BadRequest,
    Busy,
    ModelMissing,
    NanPicture,
    NoApi,
    NoPicture,
    NotReady,
    OutcomeUnknown,
    OutOfMemory,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)
from core.webui.breaker import MOST_FAULTS, Breaker, Circuit

AWAY = (NotReady, NoApi, AuthenticationFailed, Busy)
FAULTS = (ServerFault, OutcomeUnknown, UnreadableAnswer, NoPicture)
OF_THE_REQUEST = (BadRequest, OutOfMemory, NanPicture, ModelMissing)
LONGEST = 30.0


def wait(openings: int) -> float:
    return min(0.5 * 2.0 ** (openings - 1), LONGEST)


def opened(at: float = 0.0) -> Breaker:
    return Breaker().failed(NotReady("x"), at, wait)


def test_it_begins_closed() -> None:
    assert Breaker().circuit is Circuit.CLOSED


@pytest.mark.parametrize("kind", AWAY)
def test_a_webui_that_is_away_gets_no_more_jobs_at_once(kind: type[WebuiError]) -> None:
    breaker = Breaker().failed(kind("x"), 10.0, wait)
    assert breaker.circuit is Circuit.OPEN
    assert breaker.due == 10.5


@pytest.mark.parametrize("kind", FAULTS)
def test_three_faults_of_its_own_in_a_row_open_it(kind: type[WebuiError]) -> None:
    breaker = Breaker()
    for _ in range(MOST_FAULTS - 1):
        breaker = breaker.failed(kind("x"), 0.0, wait)
        assert breaker.circuit is Circuit.CLOSED
    assert breaker.failed(kind("x"), 0.0, wait).circuit is Circuit.OPEN
    assert breaker.succeeded().failed(kind("x"), 0.0, wait).circuit is Circuit.CLOSED


@pytest.mark.parametrize("kind", OF_THE_REQUEST)
def test_what_is_the_request_s_fault_neither_counts_nor_forgives(kind: type[WebuiError]) -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker = breaker.failed(kind("x"), 0.0, wait)
    assert breaker == Breaker()
    doubtful = breaker.failed(ServerFault("x"), 0.0, wait)
    assert doubtful.failed(kind("x"), 0.0, wait) == doubtful


def test_its_lists_half_open_it_once_the_wait_is_over() -> None:
    breaker = opened()
    assert breaker.listed(0.49) == breaker
    half = breaker.listed(0.5)
    assert half.circuit is Circuit.HALF_OPEN
    assert not half.probing
    assert Breaker().listed(0.5) == Breaker()


def test_one_job_is_the_probe_and_its_success_closes_it() -> None:
    probing = opened().listed(0.5).taken()
    assert probing.probing
    assert probing.listed(9.0) == probing
    assert probing.succeeded() == Breaker()


def test_a_probe_that_fails_opens_it_for_twice_as_long() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(9):
        waits.append(breaker.due - now)
        now = breaker.due
        breaker = breaker.listed(now).taken().failed(ServerFault("x"), now, wait)
        assert breaker.circuit is Circuit.OPEN
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("kind", OF_THE_REQUEST)
def test_a_probe_that_tells_nothing_lets_the_next_one_follow_the_lists(kind: type[WebuiError]) -> None:
    probing = opened().listed(0.5).taken()
    left = probing.failed(kind("x"), 1.0, wait).let_go(1.0)
    assert left.circuit is Circuit.OPEN
    assert left.openings == 1
    assert left.listed(1.0).circuit is Circuit.HALF_OPEN
    assert not left.listed(1.0).probing


def test_a_verdict_that_comes_after_the_probe_has_left_still_counts() -> None:
    left = opened().listed(0.5).taken().let_go(1.0)
    assert left.succeeded().circuit is Circuit.CLOSED
    assert left.failed(NoPicture("x"), 1.0, wait).due == 2.0


def test_a_job_that_leaves_a_closed_or_open_circuit_changes_nothing() -> None:
    assert Breaker().taken().let_go(1.0) == Breaker()
    assert opened().taken().let_go(1.0) == opened()


class EveryOrder(RuleBasedStateMachine):
    """Jobs one at a time, as a webui has them; lists, verdicts and time in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = 0.0
        self.busy = False
        self.faults = 0  # in a row, since the last success
        self.openings = 0
        self.opened_at: float | None = None  # when it was last told to wait
        self.probes = 0  # jobs let through since it was last told to wait

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def the_lists_are_read(self) -> None:
        before = self.breaker
        self.breaker = before.listed(self.now)
        assert self.breaker.circuit is before.circuit or self.now >= before.due

    @precondition(lambda self: not self.busy and self.breaker.circuit is not Circuit.OPEN)
    @rule()
    def a_job_goes_there(self) -> None:
        if self.opened_at is not None:
            assert self.now >= self.opened_at + wait(self.openings)
            assert self.breaker.circuit is Circuit.HALF_OPEN
            self.probes += 1
        self.breaker = self.breaker.taken()
        self.busy = True
        assert self.breaker.probing == (self.opened_at is not None)

    @precondition(lambda self: self.busy)
    @rule()
    def it_is_drawn(self) -> None:
        self.breaker = self.breaker.succeeded().let_go(self.now)
        self.busy, self.faults, self.openings, self.opened_at, self.probes = False, 0, 0, None, 0
        assert self.breaker == Breaker()

    @precondition(lambda self: self.busy)
    @rule(kind=st.sampled_from(AWAY + FAULTS + OF_THE_REQUEST))
    def it_fails(self, kind: type[WebuiError]) -> None:
        self.breaker = self.breaker.failed(kind("x"), self.now, wait).let_go(self.now)
        self.busy = False
        if kind in OF_THE_REQUEST:
            return
        self.faults += 1
        if kind in AWAY or self.faults >= MOST_FAULTS or self.opened_at is not None:
            self.openings += 1
            self.opened_at, self.probes = self.now, 0

    @precondition(lambda self: self.busy)
    @rule()
    def it_is_cancelled(self) -> None:
        self.breaker = self.breaker.let_go(self.now)
        self.busy = False

    @invariant()
    def it_is_closed_exactly_until_it_was_told_to_wait(self) -> None:
        assert (self.breaker.circuit is Circuit.CLOSED) == (self.opened_at is None)

    @invariant()
    def a_wait_is_bounded(self) -> None:
        assert self.breaker.due - self.now <= LONGEST

    @invariant()
    def no_second_job_while_the_probe_is_under_way(self) -> None:
        if self.busy and self.breaker.circuit is Circuit.HALF_OPEN:
            assert self.breaker.probing == (self.probes > 0)

    @invariant()
    def it_is_never_lost_for_good(self) -> None:
        assert self.busy or self.breaker.listed(max(self.now, self.breaker.due)).circuit is not Circuit.OPEN


TestEveryOrder = EveryOrder.TestCase
