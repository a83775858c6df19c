"""Tables of rows that stay where an engine holds them have the bits of those that are read here."""

import numpy as np
import pytest

from ridgeline import LinearRegression, LogisticRegression, source
from ridgeline.statistics.covariance import KINDS
from tests.engines.test_contract import chunks, elsewhere


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("roles", [{"target": "y"}, {"target": "y", "weight": "s", "offset": "o"}], ids=["plain", "weighted"])
def test_least_squares(kind, roles):
    if kind == "cluster":
        roles = roles | {"target": ["y", "count"]}
    here = source(chunks(**roles))
    there, _ = elsewhere(chunks(**roles))
    model = LinearRegression().fit_source(source(chunks(**(roles | {"target": "y"}))))
    one, other = model.summary(source=here, covariance=kind), model.summary(source=there, covariance=kind)
    assert np.array_equal(one.covariance, other.covariance)
    assert one.log_likelihood == other.log_likelihood


@pytest.mark.parametrize("kind", ["classical", "HC0", "cluster"])
def test_logistic(kind):
    roles = {"target": ["count", "count"] if kind == "cluster" else "count", "weight": "s"}
    model = LogisticRegression(C=np.inf).fit_source(source(chunks("count", "s")))
    one = model.summary(source=source(chunks(**roles)), covariance=kind)
    other = model.summary(source=elsewhere(chunks(**roles))[0], covariance=kind)
    assert np.array_equal(one.covariance, other.covariance)
    assert one.null_deviance == other.null_deviance


@pytest.mark.parametrize("largest", [None, 7])
def test_influence(largest):
    model = LinearRegression().fit_source(source(chunks("y")))
    one = model.influence(source=source(chunks("y")), largest=largest)
    other = model.influence(source=elsewhere(chunks("y"))[0], largest=largest)
    for name, values in one.table.items():
        assert np.array_equal(values, other.table[name]), name
