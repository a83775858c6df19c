"""Where a solver cannot begin, or may not go on to the end: words that say so, and bounds that hold all the same."""

import numpy as np
import pytest

from ridgeline import LogisticRegression, LogisticRegressionCV, source
from ridgeline.certificate import FitWarning

rng = np.random.default_rng(15)
X = rng.normal(size=(200, 3))
LABELS = (X[:, 0] + rng.normal(size=200) > 0).astype(float)


@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"l1_ratio": 1.0, "solver": "saga"}], ids=repr)
def test_an_objective_beyond_the_range_at_its_start_is_refused(parameters):
    """Two rows whose offsets are far on the wrong side have a loss whose sum is no double."""
    offset = np.where(LABELS > 0, -1.7e308, 1.7e308)
    model = LogisticRegression(**parameters)
    with pytest.raises(ValueError, match="the objective overflows at the start; scale the targets, weights or offsets down"):
        model.fit_source(source(X, LABELS, offset=offset))
    assert not hasattr(model, "coef_")


def test_a_batch_whose_steps_run_out_says_so():
    model = LogisticRegression(max_iter=1)
    with pytest.warns(FitWarning, match="Stopped after 1 iterations on the last batch. Raise max_iter, or add a penalty"):
        for part in (slice(0, 100), slice(100, 200)):
            model.partial_fit(X[part], LABELS[part], classes=[0, 1])
    assert model.certificate_.status == "stopped_early" and model.certificate_.suboptimality == np.inf


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_search_by_the_name_of_its_penalty_is_that_by_its_ratio():
    for penalty, ratio in (("l1", 1.0), ("l2", 0.0)):
        options = {"Cs": [0.05, 1.0], "cv": 3, "solver": "saga", "use_legacy_attributes": False}
        named = LogisticRegressionCV(penalty=penalty, **options).fit(X, LABELS)
        by_ratio = LogisticRegressionCV(l1_ratios=(ratio,), **options).fit(X, LABELS)
        assert (named.coef_ == by_ratio.coef_).all() and named.C_ == by_ratio.C_


@pytest.mark.parametrize("size", [3.0, 10.0])
def test_a_bound_holds_where_the_intercept_is_still_far_off(size):
    """The penalty's strong convexity says nothing of an intercept that has a whole unit to go."""
    y = (rng.uniform(size=200) < 0.5).astype(float)
    rows = source(X, y, offset=np.full(200, size))
    with pytest.warns(FitWarning, match="Stopped after 1 iterations"):
        rough = LogisticRegression(max_iter=1).fit_source(rows)
    best = LogisticRegression().fit_source(rows)

    def risk(model):
        z = X @ model.coef_[0] + model.intercept_[0] + size
        return (np.logaddexp(0, z) - y * z).mean() + model.coef_[0] @ model.coef_[0] / 400

    assert 0 < risk(rough) - risk(best) <= rough.certificate_.suboptimality
