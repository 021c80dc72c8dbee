"""Every decoder is fuzzed a little; ``python -m tests.tracking.fuzz --seconds 300`` does it for long."""

from pathlib import Path

import pytest

from tests.tracking import fuzz


def test_the_fuzzers_decoders_take_their_seeds(tmp_path: Path) -> None:
    for name, decode in fuzz.DECODERS.items():
        fuzz.seeds(name, tmp_path / name)
        for path in (tmp_path / name).iterdir():
            decode(path.read_bytes())


def test_a_fuzzer_that_sees_branches_finds_nothing(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this machine")
    done = fuzz.run("any", tmp_path, "-runs=3000", "-seed=8")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 3000 runs" in done.stderr
