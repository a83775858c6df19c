"""The comparison with peers: its tables, tiny runs of it, what it writes, and what it says of rivals that are absent, slow or wrong."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from bench import compare, report
from bench.measure import ABSENT, FAILED, HANDICAPS, OVER, REACHED, SHORT, Entrant, Outcome, Plan, clean_environment, measure
from bench.objective import CORNERED, SMOOTH
from bench.problems import DESIGNS, PROBLEMS, SERIES, SETS, TARGETS, Problem
from bench.rivals import RIVALS, entering

EVERY = [*PROBLEMS, *SERIES]
TINY = Problem("ridge", 400, 3)
ROW = {rival.name: rival for rival in RIVALS}


# ---------------------------------------------------------------------------------------------------- the tables


def test_names_are_unique():
    assert len({p.name for p in EVERY}) == len(EVERY)
    assert len(ROW) == len(RIVALS)


@pytest.mark.parametrize("problem", EVERY, ids=lambda p: p.name)
def test_every_problem_can_be_made_judged_and_fitted(problem):
    assert problem.family in SMOOTH or problem.family in CORNERED
    assert problem.family in TARGETS and problem.data in DESIGNS | SETS.keys()
    entered = entering(problem)
    assert entered[0].library == "ridgeline" and len({rival.library for rival in entered}) > 1


@pytest.mark.parametrize("rival", RIVALS, ids=lambda r: r.name)
def test_every_rival_has_something_to_do(rival):
    assert rival.tolerances and any(rival in entering(problem) for problem in EVERY)
    given = [tolerance for tolerance in rival.tolerances if tolerance is not None]
    assert given == sorted(given, reverse=True)


@pytest.mark.parametrize("family", TARGETS)
@pytest.mark.parametrize("data", DESIGNS)
def test_data_are_the_same_every_time(family, data):
    problem = Problem(family, 500, 12, data, classes=4)
    (X, y), (again, y_again) = problem.make(), problem.make()
    assert X.shape == (500, 12) and X.flags.c_contiguous and X.dtype == np.float64 and y.shape == (500,)
    assert (again == X).all() and (y == y_again).all() and np.isfinite(X).all()
    if family == "softmax":
        assert set(y) == set(range(4))


def test_scaling_leaves_data_sets_and_some_rows():
    assert Problem("ridge", 1_000_000, 10).scaled(0.1).n == 100_000
    assert Problem("ridge", 1_000_000, 10).scaled(1e-9).n == 200
    assert Problem("ols", 442, 10, "diabetes").scaled(0.1).n == 442


def test_words_choose_problems_and_rivals():
    assert [p.name for p in compare.chosen(PROBLEMS, "ridge 1M x 10, digits")] == ["softmax 1797 x 64 c=10 digits", "ridge 1M x 10"]
    assert [r.name for r in entering(TINY, "NumPy")] == ["ridgeline", "NumPy normal equations"]


# ------------------------------------------------------------------------------------------------------ measuring


def test_handicaps_are_taken_off(monkeypatch):
    for name in HANDICAPS:
        monkeypatch.setenv(name, "1")
    assert not set(HANDICAPS) & set(clean_environment())


def test_contenders_take_turns_and_are_judged():
    ours, theirs = measure(TINY, [Entrant(ROW[name], name) for name in ("ridgeline", "NumPy normal equations")], Plan(rounds=3))
    for outcome in (ours, theirs):
        assert outcome.status == REACHED and outcome.rounds == 3 and outcome.accuracy < 1e-13
        assert 0 < outcome.seconds <= outcome.median < 10
    assert ours.remark["status"] == "optimal" and ours.remark["gradient_norm"] < 1e-12


def test_a_rival_that_cannot_be_imported_is_absent(tmp_path):
    (tmp_path / "sklearn").mkdir()
    (tmp_path / "sklearn" / "__init__.py").write_text("raise ImportError('hidden for a test')")
    (outcome,) = measure(TINY, [Entrant(ROW["scikit-learn cholesky"], "hidden", environment={"PYTHONPATH": str(tmp_path)})], Plan())
    assert outcome.status == ABSENT and outcome.reason == "hidden for a test"


def test_a_fit_over_the_limit_is_ended():
    (outcome,) = measure(TINY, [Entrant(ROW["NumPy normal equations"], "slow")], Plan(limit=0.0))
    assert outcome.status == OVER and outcome.accuracy == np.inf


def test_a_process_that_dies_has_failed():
    (outcome,) = measure(TINY, [Entrant(ROW["ridgeline"], "dead", python=("false",))], Plan())
    assert outcome.status == FAILED and "ended with status 1" in outcome.reason


def test_an_answer_short_of_the_target_does_not_count():
    (outcome,) = measure(Problem("logistic", 400, 3, target=0.0), [Entrant(ROW["ridgeline"], "ours")], Plan())
    assert outcome.status == SHORT and outcome.rounds == 0 and 0 < outcome.accuracy < 1e-12


# ---------------------------------------------------------------------------------------------------- what is written


@pytest.mark.parametrize("rivals", ["none", "NumPy"])
def test_a_run_from_the_command_line(rivals, tmp_path, capsys):
    arguments = ["--quick", "--only", "ridge 20k x 10", "--output", str(tmp_path), "--no-figures", "--rivals", rivals]
    compare.main(arguments)
    results = json.loads((tmp_path / "results.json").read_text())
    (record,) = results["problems"].values()
    assert record["outcomes"][0]["status"] == REACHED and len(record["outcomes"]) == 1 + (rivals == "NumPy")
    page = (tmp_path / "table.md").read_text()
    assert page in capsys.readouterr().out and "| ridge 20k x 10 | 1e-08 |" in page
    assert (" normal equations** |" in page) == (rivals == "NumPy")
    compare.main([*arguments[:2], "quantile", "--keep", *arguments[3:]])
    assert list(json.loads((tmp_path / "results.json").read_text())["problems"]) == ["quantile 400 x 20", "ridge 20k x 10"]


def test_a_pattern_that_fits_nothing_is_an_error(capsys):
    with pytest.raises(SystemExit):
        compare.main(["--only", "no such problem"])
    assert "no problem's name holds 'no such problem'" in capsys.readouterr().err


def outcome(library, status=REACHED, seconds=1.0, accuracy=1e-9, solver="", **more):
    return Outcome(f"{library} {solver}".strip(), library, solver, status, seconds, accuracy=accuracy, **more).as_dict()


def results_of(*outcomes, problem=TINY):
    record = {
        "problem": asdict(problem),
        "limits": {"bytes_per_second": 1e10, "flops_per_second": 1e11},
        "plan": asdict(Plan()),
        "outcomes": list(outcomes),
    }
    return {"problems": {problem.name: record}}


def test_the_table_names_the_best_peer_and_what_others_reached():
    problems = results_of(
        outcome("ridgeline", seconds=0.1, remark={"passes": 3}),
        outcome("scikit-learn", seconds=0.5, solver="cholesky"),
        outcome("scikit-learn", seconds=0.4, solver="lsqr"),
        outcome("glum", SHORT, seconds=2.0, accuracy=3e-6, solver="irls-ls"),
        outcome("statsmodels", OVER, seconds=np.inf, accuracy=np.inf),
        outcome("NumPy", ABSENT),
    )["problems"]
    header, _, line = report.table(problems)
    assert header.endswith("| ridgeline | reads | times faster | scikit-learn | glum | statsmodels |")
    assert line == (
        "| ridge 400 x 3 | 1e-08 | 0.00096 ms | 4.8e-05 ms | 100 ms | 3 | 4 | **400 ms lsqr** | (3e-06 in 2 s irls-ls) | over the limit |"
    )
    said = "\n".join(report.remarks(problems))
    assert "Left out: NumPy" in said and "- ridge 400 x 3: statsmodels: its fits took more than 60 s" in said


def test_figures_for_light_and_dark_pages(tmp_path):
    pytest.importorskip("matplotlib")
    from bench import figures

    results = results_of(outcome("ridgeline", seconds=0.1), outcome("glum", seconds=0.05), problem=TINY)
    for problem in SERIES:
        results["problems"] |= results_of(outcome("ridgeline"), outcome("glum", seconds=2), problem=problem)["problems"]
    written = figures.draw(results, tmp_path)
    assert {path.name for path in written} == {
        f"{name}-{theme}.png" for name in ("speedups", "curves-ridge", "curves-logistic") for theme in ("light", "dark")
    }
    assert all(5_000 < path.stat().st_size < 100_000 for path in written)


def test_every_library_has_a_colour_and_a_mark():
    pytest.importorskip("matplotlib")
    from bench import figures

    assert {rival.library for rival in RIVALS} == figures.COLOURS.keys() == figures.MARKERS.keys()
