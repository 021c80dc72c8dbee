"""What was answered is stored, whatever is killed and whenever; the same rig finds loss where answers come first."""

import resource
from collections.abc import Iterator

import pytest

from geoserver.cluster import Cluster
from tests.tracking import crowd
from tests.tracking.faults import ANSWERS, run, stage

#: More by command: ``python -m tests.tracking.faults --rounds 100``, and ``--away 60``.
ROUNDS, AWAY = 20, 5.0
#: As many as this machine lets one process have; 20 000 by ``python -m tests.tracking.crowd``.
CROWD = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)

type Staged = tuple[Cluster, str, dict[str, str]]


@pytest.fixture(scope="module")
def staged() -> Iterator[Staged]:
    with stage() as found:
        yield found


def test_nothing_that_was_answered_is_lost_when_gateway_worker_and_database_are_killed(staged: Staged) -> None:
    outcome = run(*staged, ROUNDS)
    print(outcome)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.answered >= ANSWERS * ROUNDS


def test_while_the_database_is_away_nobody_is_answered_and_afterwards_everybody(staged: Staged) -> None:
    outcome = run(*staged, 1, seed=30, away=AWAY, victims=("database",))
    assert (outcome.lost, outcome.doubled) == (0, 0) and outcome.answered >= 2 * ANSWERS


def test_the_same_rig_finds_loss_where_answers_come_before_the_commit(staged: Staged) -> None:
    lost = 0
    for seed in range(1, 9):  # a kill between two answers loses nothing
        outcome = run(*staged, 1, answer_first=True, seed=seed, victims=("gateway",))
        print(outcome)
        lost += outcome.lost
        if lost:
            break
    assert lost > 0


def test_a_crowd_that_says_nothing_keeps_nobody_from_being_answered(staged: Staged) -> None:
    found = crowd.run(*staged, CROWD)
    print(found)
    assert found.lost == 0 and found.kilobytes < 16 and found.beside < 30
