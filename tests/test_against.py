"""Two commits side by side: the row that is printed, and a run that builds both."""

import shutil

import numpy as np
import pytest

from bench import against
from bench.measure import ABSENT, REACHED, ROOT, Outcome


def outcome(**found):
    return Outcome("ridgeline", "ridgeline", "", **found)


def test_a_row_has_both_times_and_their_ratios():
    base = outcome(status=REACHED, seconds=0.2, median=0.3, rounds=3, accuracy=1e-12)
    head = outcome(status=REACHED, seconds=0.1, median=0.1, rounds=3, accuracy=2e-9)
    assert against.row("ridge", base, head) == "| ridge | 200 ms | 100 ms | 2.00 | 3.00 | 1e-12, 2e-09 |"


def test_a_row_says_what_the_base_has_not():
    base = outcome(status=ABSENT, reason="this ridgeline has no Lasso")
    head = outcome(status=REACHED, seconds=0.1, median=0.1, rounds=3, accuracy=1e-12)
    assert against.row("lasso", base, head) == "| lasso | this ridgeline has no Lasso | 100 ms | - | - | inf, 1e-12 |"


def test_the_installed_folder_comes_first(tmp_path):
    found = against.entrant("base", tmp_path)
    assert found.python[1:] == ("-S",)  # no `site`, so that no editable install is asked
    assert found.environment["PYTHONPATH"].startswith(str(tmp_path))


@pytest.mark.slow
def test_the_last_commit_against_the_working_tree(capsys):
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a clone")
    pytest.importorskip("mesonpy")
    against.main(["HEAD", "--only", "ridge 1M x 10", "--scale", "0.001", "--rounds", "2"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("| ridge 1k x 10 |") and np.isfinite(float(line.split("|")[4]))
