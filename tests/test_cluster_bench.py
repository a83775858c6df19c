"""The benchmark of a cluster runs, and its model is the formula that it states."""

import pytest

from bench import cluster


def test_the_model_is_its_formula():
    # 2 reads of 8 * 100 * 10 bytes by 4 workers at 50 bytes a second; 257 partitions are three levels of the tree
    assert cluster.predicted(2, 100, 10, 4, 257, 50.0, 0.5, 0.01, 2e9) == pytest.approx(2 * (40 + 3 * (0.5 + 2) + 2.57))


@pytest.mark.slow
def test_the_command(capsys):
    pytest.importorskip("distributed")
    cluster.main(["--rows", "4000", "--columns", "5", "--rounds", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 13 and all(line.count("|") == 4 for line in lines)
    assert lines[3].startswith("| on 1 worker(s)") and "(1 reads)" in lines[3]
