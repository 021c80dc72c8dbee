"""What was answered is stored, whatever is killed and whenever; the same rig finds loss where answers come first."""

from collections.abc import Iterator

import pytest

from geoserver.cluster import Cluster
from tests.tracking.faults import run, stage

#: More by command: ``python -m tests.tracking.faults --rounds 100``.
ROUNDS = 20

type Staged = tuple[Cluster, str, dict[str, str]]


@pytest.fixture(scope="module")
def staged() -> Iterator[Staged]:
    with stage() as found:
        yield found


def test_nothing_that_was_answered_is_lost_when_gateway_worker_and_database_are_killed(staged: Staged) -> None:
    outcome = run(*staged, ROUNDS)
    print(outcome)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.answered >= 120 * ROUNDS


def test_the_same_rig_finds_loss_where_answers_come_before_the_commit(staged: Staged) -> None:
    lost = 0
    for seed in range(1, 9):  # a kill between two answers loses nothing
        outcome = run(*staged, 1, answer_first=True, seed=seed)
        print(outcome)
        lost += outcome.lost
        if lost:
            break
    assert lost > 0
