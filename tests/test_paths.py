"""The benchmark of searches: a run on few rows."""

import pytest

from bench import paths


@pytest.mark.parametrize("only", ["logistic", "one row left out", "ten folds", "lasso"])
def test_a_run_on_few_rows(only, capsys):
    pytest.importorskip("scipy")
    paths.main(["--only", only, "--scale", "0.01", "--rounds", "1"])
    header, rule, *rows = capsys.readouterr().out.splitlines()
    assert header.startswith("| search |") and rule.startswith("|---|") and rows
    assert all(only in row and "inf" not in row for row in rows)


def test_cases_that_are_not_there(capsys):
    with pytest.raises(SystemExit):
        paths.main(["--only", "nothing"])
    assert "no case's name holds 'nothing'" in capsys.readouterr().err
