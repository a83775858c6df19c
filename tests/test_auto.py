"""The sweep of solvers: its verdict, and a run on few rows."""

import numpy as np
import pytest

from bench import auto


def test_the_verdict_is_about_ratios_beyond_a_few_milliseconds():
    def found(**seconds):
        return {name: auto.Timed(1, seconds=s) for name, s in seconds.items()}

    assert auto.verdict(found(auto=1.0, newton=2.0), 1.2) == (1.0, False)
    assert auto.verdict(found(auto=1.3, lbfgs=1.0), 1.2) == (1.3, True)
    assert not auto.verdict(found(auto=0.004, lbfgs=0.001), 1.2)[1]
    assert auto.verdict(found(auto=np.inf, lbfgs=1.0), 1.2) == (np.inf, True)


@pytest.mark.parametrize("only", ["logistic 300k", "softmax 50k", "huber 200k"])
def test_a_run_on_few_rows(only, capsys):
    pytest.importorskip("scipy")
    auto.main(["--only", only, "--scale", "0.01", "--rounds", "1", "--worst", "1000"])
    header, _, row, _, last = capsys.readouterr().out.splitlines()
    assert header.startswith("| problem | parameters | auto |") and row.startswith(f"| {only}") and "inf" not in row
    assert last == "auto missed the best by more than 1000 on 0 of 1."


def test_shapes_that_are_not_there(capsys):
    with pytest.raises(SystemExit):
        auto.main(["--only", "nothing"])
    assert "no shape's name holds 'nothing'" in capsys.readouterr().err
