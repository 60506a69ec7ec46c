"""Usage counts: sums, states and ranks."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.errors import BadDocument
from fairframe.training.usage import UsageCount, UsageRecorder

calls = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["dlv_1", "house"]), st.integers(0, 50)))


@given(calls)
@settings(max_examples=50)
def test_state_round_trip_keeps_every_frame(rows: list[tuple[str, str, int]]) -> None:
    recorder = UsageRecorder()
    for item, source, frames in rows:
        recorder.count(item, source, frames)
    again = UsageRecorder.restore(recorder.state())
    assert again.counts() == recorder.counts()
    assert again.total() == sum(frames for _, _, frames in rows)


@given(st.lists(calls, min_size=1, max_size=4))
@settings(max_examples=50)
def test_ranks_merge_to_the_same_as_one_rank(ranks: list[list[tuple[str, str, int]]]) -> None:
    one = UsageRecorder()
    parts = [UsageRecorder() for _ in ranks]
    for part, rows in zip(parts, ranks, strict=True):
        for row in rows:
            one.count(*row)
            part.count(*row)

    def gather(_: list[UsageCount]) -> list[UsageCount]:
        return [count for part in parts for count in part.counts()]

    assert parts[0].merged(gather).counts() == one.counts()


def test_methods() -> None:
    assert UsageRecorder("attested").state()["method"] == "attested"
    with pytest.raises(ValueError, match="guessed"):
        UsageRecorder("guessed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "state", [{}, {"method": "x", "frames": []}, {"method": "measured", "frames": [["a", "b", 1.5]]}]
)
def test_foreign_states_are_refused(state: dict[str, object]) -> None:
    with pytest.raises(BadDocument):
        UsageRecorder.restore(state)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        UsageRecorder().count("a", "b", -1)


def test_counting_needs_no_torch() -> None:
    import subprocess

    code = "import sys, fairframe.training.usage as u; u.UsageRecorder(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
