"""The benchmark of files, on a tiny one: every run runs, and nothing is left behind."""

import os

import pytest

pytest.importorskip("pyarrow")
from bench import out_of_core


def test_the_table_has_every_run(tmp_path, capsys):
    out_of_core.main(["--gigabytes", "0.001", "--columns", "5", "--rounds", "1", "--folder", str(tmp_path)])
    printed = capsys.readouterr().out
    for what in ("plain read", "scan", "Ridge", "LogisticRegression", "softmax", "HuberRegressor", "Lasso"):
        assert f"| parquet | {what} |" in printed and f"| npy | {what} |" in printed
    assert os.listdir(tmp_path) == []
