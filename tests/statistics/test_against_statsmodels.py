"""Every number beside statsmodels: where it is installed, to ten digits; and, without it, a few numbers that it gave."""

import warnings

import numpy as np
import pytest

from ridgeline import LinearRegression, LogisticRegression
from ridgeline.statistics.covariance import KINDS

DIGITS = 1e-10

rng = np.random.default_rng(0)
N = 500
X = rng.normal(size=(N, 4)) + [0, 1, 0, 3]
Y = X @ [1, 0.1, 2, -1] + rng.normal(size=N) * (1 + X[:, 0] ** 2)
TWO = (X[:, 0] + rng.logistic(size=N) > 0).astype(int)
THREE = np.digitize(X[:, 0] + X[:, 1] / 2 + rng.logistic(size=N), [-0.5, 1.5])
WEIGHT = rng.uniform(0.5, 2, N)
GROUPS = rng.integers(0, 30, N)
Z = np.column_stack([np.ones(N), X])


@pytest.fixture(scope="module")
def api():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("statsmodels.api")


def options(kind):
    chosen = {"cov_type": "nonrobust" if kind == "classical" else kind}
    return chosen | ({"cov_kwds": {"groups": GROUPS}} if kind == "cluster" else {})


def groups_for(kind):
    return GROUPS if kind == "cluster" else None


def agree(pairs, rtol=DIGITS):
    for name, (got, expected) in pairs.items():
        np.testing.assert_allclose(got, expected, rtol=rtol, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("distribution", [None, "t"])
def test_least_squares(api, kind, weighted, intercept, distribution):
    s, design = WEIGHT if weighted else None, Z if intercept else X
    model = api.WLS(Y, design, weights=WEIGHT) if weighted else api.OLS(Y, design)
    peer = model.fit(**options(kind), use_t=None if distribution is None else True)
    table = LinearRegression(fit_intercept=intercept).fit(X, Y, s)
    table = table.summary(X, Y, s, covariance=kind, groups=groups_for(kind), distribution=distribution)
    low, high = peer.conf_int().T
    agree({
        "coef": (table.coef, peer.params), "se": (table.standard_error, peer.bse), "statistic": (table.statistic, peer.tvalues),
        "p": (table.p_value, peer.pvalues), "low": (table.low, low), "high": (table.high, high),
        "r2": (table.r2, peer.rsquared), "adjusted": (table.r2_adjusted, peer.rsquared_adj), "F": (table.f_statistic, peer.fvalue),
        "p of F": (table.f_p_value, peer.f_pvalue), "l": (table.log_likelihood, peer.llf), "AIC": (table.aic, peer.aic),
        "BIC": (table.bic, peer.bic), "sigma^2": (table.residual_sd**2, peer.scale), "RSS": (table.residual_ss, peer.ssr),
        "df": (table.df_residual, peer.df_resid), "df model": (table.df_model, peer.df_model),
    })  # fmt: skip
    size = np.sqrt(np.diag(peer.cov_params()))
    np.testing.assert_allclose(table.covariance / size / size[:, None], peer.cov_params() / size / size[:, None], atol=DIGITS)
    if kind == "cluster" and distribution == "t":
        return  # its intervals of predictions take t of n - k degrees of freedom, beside a table of G - 1
    new = X[:5] + 1
    theirs = peer.get_prediction(np.column_stack([np.ones(5), new]) if intercept else new).summary_frame(alpha=0.1)
    mean, single = table.predict_interval(new, 0.9, "mean"), table.predict_interval(new, 0.9)
    agree({
        "mean": (mean.prediction, theirs["mean"]), "mean se": (mean.standard_error, theirs["mean_se"]),
        "mean low": (mean.low, theirs["mean_ci_lower"]), "mean high": (mean.high, theirs["mean_ci_upper"]),
        "low": (single.low, theirs["obs_ci_lower"]), "high": (single.high, theirs["obs_ci_upper"]),
    })  # fmt: skip


def test_influence(api):
    peer = api.OLS(Y, Z).fit().get_influence()
    found = LinearRegression().fit(X, Y).influence(X, Y)
    agree({
        "leverage": (found.leverage, peer.hat_matrix_diag), "internal": (found.studentized_internal, peer.resid_studentized_internal),
        "external": (found.studentized_external, peer.resid_studentized_external), "Cook": (found.cooks_distance, peer.cooks_distance[0]),
        "DFFITS": (found.dffits, peer.dffits[0]),
    })  # fmt: skip


@pytest.mark.parametrize("kind", ["classical", "HC0", "cluster"])
@pytest.mark.parametrize("classes", [2, 3])
def test_likelihood(api, kind, classes):
    y = TWO if classes == 2 else THREE
    model = api.Logit(y, Z) if classes == 2 else api.MNLogit(y, Z)
    peer = model.fit(method="newton", tol=1e-14, maxiter=100, disp=False, **options(kind))
    table = LogisticRegression(C=np.inf).fit(X, y).summary(X, y, covariance=kind, groups=groups_for(kind))

    def flat(values):
        return np.asarray(values).T.ravel()

    agree({
        "coef": (table.coef, flat(peer.params)), "se": (table.standard_error, flat(peer.bse)), "p": (table.p_value, flat(peer.pvalues)),
        "statistic": (table.statistic, flat(peer.tvalues)), "l": (table.log_likelihood, peer.llf), "AIC": (table.aic, peer.aic),
        "BIC": (table.bic, peer.bic), "df": (table.df_residual, peer.df_resid),
    })  # fmt: skip
    # its null model is found by iteration, ours in closed form
    agree({"l_0": (table.null_log_likelihood, peer.llnull), "McFadden": (table.pseudo_r2, peer.prsquared)}, rtol=1e-7)
    if kind == "HC0":
        # statsmodels 0.15 gives HC0 under the name of HC1 for likelihoods
        corrected = LogisticRegression(C=np.inf).fit(X, y).summary(X, y, covariance="HC1")
        agree({"HC1": (corrected.standard_error, flat(peer.bse) * np.sqrt(N / table.df_residual))})


SPECTOR_GPA = [
    2.66, 2.89, 3.28, 2.92, 4, 2.86, 2.76, 2.87, 3.03, 3.92, 2.63, 3.32, 3.57, 3.26, 3.53, 2.74, 2.75, 2.83, 3.12, 3.16, 2.06, 3.62,
    2.89, 3.51, 3.54, 2.83, 3.39, 2.67, 3.65, 4, 3.1, 2.39,
]  # fmt: skip
SPECTOR_GRADE = [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1]
"""Spector and Mazzeo (1980): grade averages, and whether the grade improved."""


@pytest.mark.parametrize(
    "kind, least_squares, logistic",
    [
        ("classical", [0.5160841092006211, 0.16379189405076794], [3.671102620308766, 1.1269786030771802]),
        ("HC0", [0.4981935196150299, 0.1566231099384548], [4.283413465636488, 1.2823338542355947]),
        ("HC3", [0.5539867410284418, 0.17369326246345626], None),
        ("cluster", [0.37069643506915034, 0.11149842907627727], [3.5162910081380128, 1.0026096582130146]),
    ],
)
def test_numbers_that_statsmodels_gave(kind, least_squares, logistic):
    x, y = np.array(SPECTOR_GPA)[:, None], np.array(SPECTOR_GRADE)
    groups = np.arange(32) // 4 if kind == "cluster" else None
    table = LinearRegression().fit(x, y).summary(x, y, covariance=kind, groups=groups)
    np.testing.assert_allclose(table.standard_error, least_squares, rtol=DIGITS)
    if logistic:
        table = LogisticRegression(C=np.inf).fit(x, y).summary(x, y, covariance=kind, groups=groups)
        np.testing.assert_allclose(table.standard_error, logistic, rtol=DIGITS)
        np.testing.assert_allclose(table.log_likelihood, -16.20890310973079, rtol=DIGITS)


def test_influence_and_intervals_that_statsmodels_gave():
    x, y = np.array(SPECTOR_GPA)[:, None], np.array(SPECTOR_GRADE)
    model = LinearRegression().fit(x, y)
    found = model.influence(x, y)
    np.testing.assert_allclose(found.cooks_distance[:3], [0.0023085423963163107, 0.005986825255341608, 0.019055493832780716], rtol=DIGITS)
    np.testing.assert_allclose(found.leverage[:3], [0.06220476558728916, 0.03889377137824576, 0.035175674743831264], rtol=DIGITS)
    np.testing.assert_allclose(found.dffits[:3], [-0.06688468925171037, -0.10811948140161541, -0.19537313168486545], rtol=DIGITS)
    np.testing.assert_allclose(model.predict_interval([[3.0]]).low, -0.6000687156832291, rtol=DIGITS)
    np.testing.assert_allclose(model.predict_interval([[3.0]], kind="mean").high, 0.44209414858005563, rtol=DIGITS)
