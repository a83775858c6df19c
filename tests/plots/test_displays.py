"""The displays: what each shows of a model, where it draws, and what it refuses."""

import io
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="drawing needs matplotlib")

import matplotlib
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import ridgeline
from ridgeline import plots
from ridgeline.plots import drawing
from ridgeline.plots.coefficient_path import coefficient_path, penalties

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3)) * [1.0, 10.0, 0.1]
Y = X @ [1.0, 0.2, -5.0] + rng.normal(size=80)
LABELS = np.where(Y > 0, "up", "down")
THREE = np.array(["a", "b", "c"])[np.digitize(Y, [-1, 1])]
FIT, TEST = slice(0, 50), slice(50, 80)


class Frame:
    """The least a data frame is: named columns and an array."""

    def __init__(self, array, columns):
        self.array, self.columns = array, columns

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


def classifier(labels=LABELS, X=X):
    return ridgeline.LogisticRegression().fit(X, labels)


def regressor():
    return ridgeline.Ridge().fit(X, Y)


DISPLAYS = {
    "sigmoid": lambda ax=None: plots.SigmoidDisplay.from_estimator(classifier(), X, LABELS, ax=ax),
    "path": lambda ax=None: plots.CoefficientPathDisplay.from_estimator(regressor(), X, Y, ax=ax),
    "risk": lambda ax=None: plots.RiskCurveDisplay.from_estimator(
        ridgeline.Ridge(), X[FIT], Y[FIT], X[TEST], Y[TEST], values=[1.0, 10.0, 100.0], ax=ax
    ),
    "roc": lambda ax=None: plots.RocCurveDisplay.from_estimator(classifier(), X, LABELS, ax=ax),
    "roc of three": lambda ax=None: plots.RocCurveDisplay.from_estimator(classifier(THREE), X, THREE, ax=ax),
    "roc of scores": lambda ax=None: plots.RocCurveDisplay.from_predictions(Y > 0, X[:, 0], ax=ax),
    "calibration": lambda ax=None: plots.CalibrationDisplay.from_estimator(classifier(), X, LABELS, ax=ax),
    "confusion": lambda ax=None: plots.ConfusionMatrixDisplay.from_estimator(classifier(THREE), X, THREE, ax=ax),
    "confusion of labels": lambda ax=None: plots.ConfusionMatrixDisplay.from_predictions(THREE, THREE, ax=ax),
    "decision": lambda ax=None: plots.DecisionBoundaryDisplay.from_estimator(classifier(X=X[:, :2]), X[:, :2], LABELS, ax=ax),
    "decision of three": lambda ax=None: plots.DecisionBoundaryDisplay.from_estimator(
        classifier(THREE, X[:, :2]), X[:, :2], THREE, ax=ax
    ),
    "residuals": lambda ax=None: plots.ResidualsDisplay.from_estimator(regressor(), X, Y, ax=ax),
    "residuals of predictions": lambda ax=None: plots.ResidualsDisplay.from_predictions(Y, Y + 1, ax=ax),
    "leverage": lambda ax=None: plots.LeverageDisplay.from_estimator(ridgeline.LinearRegression().fit(X, Y), X, Y, ax=ax),
    "quantiles": lambda ax=None: plots.QuantileDisplay.from_estimator(regressor(), X, Y, ax=ax),
    "quantiles of predictions": lambda ax=None: plots.QuantileDisplay.from_predictions(Y, Y + 1, ax=ax),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_every_display_is_labelled_and_can_be_written(name):
    display = DISPLAYS[name]()
    ax = display.ax_
    assert display.figure_ is ax.figure
    assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
    file = io.BytesIO()
    display.figure_.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", DISPLAYS)
def test_given_axes_are_used_and_drawn_again_elsewhere(name):
    ax, other = Figure().add_subplot(), Figure().add_subplot()
    display = DISPLAYS[name](ax)
    assert display.ax_ is ax
    assert display.plot(other) is display and display.ax_ is other
    assert len(ax.lines) == len(other.lines) and ax.get_title() == other.get_title()


def test_a_notebook_is_shown_a_figure_of_the_display_and_no_other():
    assert DISPLAYS["roc"]()._repr_png_().startswith(b"\x89PNG")
    assert DISPLAYS["roc"](Figure().add_subplot())._repr_png_() is None


def test_no_global_state_is_touched():
    loaded, settings = "matplotlib.pyplot" in sys.modules, matplotlib.rcParams.copy()
    for draw in DISPLAYS.values():
        draw()
    assert ("matplotlib.pyplot" in sys.modules) == loaded and matplotlib.rcParams.copy() == settings


def luminance(colour):
    """As WCAG 2.1 defines it."""
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("page", ["#ffffff", "#0d1117"])
@pytest.mark.parametrize("colour", [*drawing.COLOURS, drawing.GREY])
def test_colours_stand_out_from_either_page(colour, page):
    light, dark = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def line(display, label):
    return next(line for line in display.ax_.lines if str(line.get_label()).startswith(label))


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.parametrize(
    "name, xs, ys",
    [
        ("path", [0, 1], [0, 0]),
        ("residuals", [0, 1], [0, 0]),
        ("leverage", [0, 1], [0, 0]),
        ("sigmoid", [0, 0], [0, 1]),
        ("sigmoid", [0, 1], [0.5, 0.5]),
        ("roc", [0, 1], [0, 1]),
        ("calibration", [0, 1], [0, 1]),
    ],
)
def test_the_line_to_compare_with(name, xs, ys):
    """One that goes through all of a picture is drawn from 0 to 1 of its width or height."""
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in DISPLAYS[name]().ax_.lines]
    assert (xs, ys) in lines


def test_the_path_of_ridge_is_that_of_its_fits():
    display = plots.CoefficientPathDisplay.from_estimator(ridgeline.Ridge(alpha=3.0), X, Y, values=[100.0, 1.0], scaled=False)
    assert display.values.tolist() == [1, 100]
    for value, coef in zip(display.values, display.coef):
        np.testing.assert_array_equal(coef, ridgeline.Ridge(alpha=value).fit(X, Y).coef_)
    assert line(display, "alpha = 3").get_xdata() == [3.0, 3.0]


def test_the_path_of_the_lasso_is_that_of_its_fits():
    for model in (ridgeline.Lasso(), ridgeline.ElasticNet(l1_ratio=0.3), ridgeline.Lasso(positive=True, fit_intercept=False)):
        values, coef = coefficient_path(model, X, Y, [0.1, 0.5])
        assert values.tolist() == [0.1, 0.5]
        for value, row in zip(values, coef):
            np.testing.assert_allclose(row, type(model)(**{**model.get_params(), "alpha": value}).fit(X, Y).coef_, rtol=1e-8, atol=1e-12)


def test_the_path_of_a_classifier_and_of_one_of_its_classes():
    _, coef = coefficient_path(ridgeline.LogisticRegression(), X, THREE, [1.0], output=2)
    np.testing.assert_array_equal(coef[0], classifier(THREE).coef_[2])


def test_scaled_coefficients_are_per_standard_deviation():
    raw, scaled = (plots.CoefficientPathDisplay.from_estimator(ridgeline.Ridge(), X, Y, values=[1.0], scaled=s) for s in (False, True))
    np.testing.assert_allclose(scaled.coef, raw.coef * X.std(axis=0), rtol=1e-12)


def test_the_range_of_a_path_shows_all_of_it():
    for model, y in ((ridgeline.Ridge(), Y), (ridgeline.Lasso(), Y), (ridgeline.LogisticRegression(), LABELS)):
        values, coef = coefficient_path(model, X, y)
        assert (np.diff(values) > 0).all() and (values == np.sort(penalties(model, X, y))).all()
        strong, weak = np.abs(coef[[0, -1]]).max(axis=1) if "C" in model.get_params() else np.abs(coef[[-1, 0]]).max(axis=1)
        assert strong < 0.05 * weak


def test_names_come_from_the_frame_and_small_coefficients_stand_back():
    wide = rng.normal(size=(40, 15))
    names = [f"gene {j}" for j in range(15)]
    display = plots.CoefficientPathDisplay.from_estimator(ridgeline.Ridge(), Frame(wide, names), wide[:, 3] + wide[:, 7])
    assert {"gene 3", "gene 7", "5 others, smaller"} <= set(labels(display))
    assert len(labels(display)) == 10 + 1 + 1  # and the line at alpha


def test_the_model_itself_is_not_fitted_again():
    model = regressor()
    before = model.coef_
    plots.CoefficientPathDisplay.from_estimator(model, X, Y, values=[5.0])
    assert model.coef_ is before and model.alpha == 1.0


def test_the_gap_is_test_risk_less_training_risk():
    display = DISPLAYS["risk"]()
    for k, alpha in enumerate([1.0, 10.0, 100.0]):
        fit = ridgeline.Ridge(alpha=alpha).fit(X[FIT], Y[FIT])
        gap = ridgeline.generalization_gap(fit, X[FIT], Y[FIT], X[TEST], Y[TEST], "squared_error")
        np.testing.assert_allclose(display.test_risk[k] - display.risk[k], gap, rtol=1e-9)
    best = display.test_risk.argmin()
    assert line(display, "best on the test rows").get_xdata() == display.x[best]
    assert "generalisation gap" in labels(display)


def test_the_risk_of_a_classifier_is_its_cross_entropy():
    display = plots.RiskCurveDisplay.from_estimator(
        ridgeline.LogisticRegression(), X[FIT], LABELS[FIT], X[TEST], LABELS[TEST], values=[1.0]
    )
    p = classifier(LABELS[FIT], X[FIT]).predict_proba(X[TEST])[np.arange(30), (LABELS[TEST] == "up") * 1]
    np.testing.assert_allclose(display.test_risk, -np.log(p).mean(), rtol=1e-12)
    assert "cross-entropy" in display.ax_.get_ylabel()


def test_roc_of_every_class_against_the_others():
    display = DISPLAYS["roc of three"]()
    assert [curve.name for curve in display.curves] == ["class a", "class b", "class c"]
    assert all(curve.area > 0.5 for curve in display.curves)
    assert labels(display)[1] == f"class a, area {display.curves[0].area:.3f}"


def test_calibration_of_one_class_of_three():
    display = plots.CalibrationDisplay.from_estimator(classifier(THREE), X, THREE, label="b", bins=2)
    p = classifier(THREE).predict_proba(X)[:, 1]
    np.testing.assert_allclose(display.happened[0], (THREE == "b")[p < 0.5].mean(), rtol=1e-14)
    assert "class b" in display.ax_.get_xlabel()


def test_calibration_of_predictions_is_that_of_the_model_that_made_them():
    of_model = plots.CalibrationDisplay.from_estimator(classifier(), X, LABELS)
    y, probability = classifier().classes_[1] == LABELS, classifier().predict_proba(X)[:, 1]
    display = plots.CalibrationDisplay.from_predictions(y, probability, event="rain")
    assert display.ax_.get_xlabel() == "predicted probability of rain"
    assert [list(a.get_ydata()) for a in display.ax_.lines] == [list(b.get_ydata()) for b in of_model.ax_.lines]


def test_counts_of_a_model():
    display = plots.ConfusionMatrixDisplay.from_estimator(classifier(THREE), X, THREE)
    assert display.counts.sum() == 80 and np.trace(display.counts) / 80 == classifier(THREE).score(X, THREE)


def test_regions_are_those_of_the_model():
    frame = Frame(X[:, :2], ["height", "weight"])
    model = ridgeline.LogisticRegression().fit(frame, THREE)
    display = plots.DecisionBoundaryDisplay.from_estimator(model, frame, THREE)
    at = np.array([[display.horizontal[20], display.vertical[150]]])
    np.testing.assert_allclose(display.probability[150, 20], classifier(THREE, X[:, :2]).predict_proba(at)[0], rtol=1e-12)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("height", "weight")
    assert model.feature_names_in_.tolist() == ["height", "weight"]
    assert display.horizontal[0] < X[:, 0].min() and display.vertical[-1] > X[:, 1].max()


def test_even_probabilities_have_no_contours():
    two = X[:, :2]
    for C, there in ((1.0, True), (1e-9, False)):  # of which the second gives every row the share of its class
        display = plots.DecisionBoundaryDisplay.from_estimator(ridgeline.LogisticRegression(C=C).fit(two, LABELS), two, LABELS)
        assert bool(display.ax_.collections) == there


def test_a_column_that_never_changes_still_has_a_width():
    flat = np.column_stack([X[:, 0], np.zeros(80)])
    assert plots.DecisionBoundaryDisplay.from_estimator(classifier(X=flat), flat, LABELS).vertical[[0, -1]].tolist() == [-1, 1]


def test_residuals_are_observed_less_predicted():
    display = DISPLAYS["residuals"]()
    np.testing.assert_array_equal(display.residual, Y - regressor().predict(X))
    assert line(display, "80 rows").get_xdata().shape == (80,)


def test_few_residuals_have_no_means_of_runs():
    model = regressor()
    for rows, there in ((slice(0, 5), False), (slice(None), True)):
        display = plots.ResidualsDisplay.from_estimator(model, X[rows], Y[rows])
        assert any(label.startswith("mean of") for label in labels(display)) == there


def test_influence_is_that_of_the_fit_and_its_largest_rows_are_named():
    far = np.vstack([X, [[30.0, 0.0, 0.0]]])
    y = np.append(Y, 0.0)
    model = ridgeline.LinearRegression().fit(far, y)
    display = plots.LeverageDisplay.from_estimator(model, far, y)
    assert display.parameters == 4 and "row 80" in [text.get_text() for text in display.ax_.texts]
    np.testing.assert_array_equal(display.leverage, model.influence(far, y).leverage)
    h, r = line(display, "Cook's distance 1").get_data()
    np.testing.assert_allclose(r**2 * h / (4 * (1 - h)), 1.0, rtol=1e-12)


def test_a_row_that_determines_a_coefficient_alone_has_no_place():
    alone = np.column_stack([X[:, 0], np.arange(80) == 7])
    display = plots.LeverageDisplay.from_estimator(ridgeline.LinearRegression().fit(alone, Y), alone, Y)
    assert len(display.leverage) == 79 and 7 not in display.row and display.parameters == 3


def test_a_million_rows_are_drawn_as_a_few_thousand():
    n = drawing.MOST_POINTS * 3
    display = plots.ResidualsDisplay.from_predictions(rng.normal(size=n), np.arange(n))
    assert "4,000 of 12,000 rows" in labels(display)
    tails = plots.QuantileDisplay.from_predictions(rng.normal(size=n), np.zeros(n))
    shown = line(tails, "4,").get_xdata()
    assert shown[0] == tails.deviate[0] and shown[-1] == tails.deviate[-1]


def test_the_name_of_a_column_is_on_the_axes():
    pandas = pytest.importorskip("pandas")
    display = plots.ResidualsDisplay.from_estimator(regressor(), X, pandas.Series(Y, name="price in euros"))
    assert display.ax_.get_xlabel() == "predicted price in euros" and "price in euros" in display.ax_.get_ylabel()


def test_a_sigmoid_shows_where_the_rows_lie():
    display = DISPLAYS["sigmoid"]()
    np.testing.assert_array_equal(display.logits, classifier().decision_function(X))
    assert display.happened.sum() == (LABELS == "up").sum()
    assert display.low < display.logits.min() and display.high > display.logits.max()


@pytest.mark.parametrize(
    ("draw", "error", "expected"),
    [
        (lambda: plots.SigmoidDisplay.from_estimator(classifier(THREE), X, THREE), ValueError, "two classes, and the model has 3"),
        (lambda: plots.SigmoidDisplay(logits=[1.0], happened=[1, 0]), ValueError, "happened has 2 entries, logits 1"),
        (
            lambda: plots.CoefficientPathDisplay.from_estimator(ridgeline.LinearRegression(), X, Y),
            TypeError,
            "neither alpha nor C to vary",
        ),
        (lambda: plots.CoefficientPathDisplay([1.0], [[1.0], [2.0]]), ValueError, "one row of coefficients"),
        (lambda: penalties(ridgeline.Ridge(), np.ones((5, 2)), Y[:5]), ValueError, "every column of X is constant"),
        (lambda: plots.RiskCurveDisplay([1.0], [1.0, 2.0]), ValueError, "x has 1 entries, risk 2"),
        (lambda: plots.RocCurveDisplay.from_predictions([1, 1], [0.1, 0.2]), ValueError, "nothing but events"),
        (lambda: plots.RocCurveDisplay.from_predictions([0, 0], [0.1, 0.2]), ValueError, "y holds no event"),
        (lambda: plots.RocCurveDisplay.from_predictions([0, 3], [0.1, 0.2]), ValueError, "y is 3 at row 1"),
        (lambda: plots.RocCurveDisplay.from_predictions([0, 1], [0.1, np.nan]), ValueError, "score contains NaN at row 1"),
        (lambda: plots.CalibrationDisplay.from_estimator(classifier(THREE), X, THREE), ValueError, "say which with label="),
        (
            lambda: plots.CalibrationDisplay.from_estimator(classifier(), X, LABELS, label="sideways"),
            ValueError,
            "none of the classes",
        ),
        (lambda: plots.DecisionBoundaryDisplay.from_estimator(classifier(), X, LABELS), ValueError, "X has 3 columns, and a plane has two"),
        (lambda: plots.ResidualsDisplay.from_predictions([1.0], [1.0, 2.0]), ValueError, "y has 1 entries, y_pred 2"),
        (lambda: plots.ResidualsDisplay.from_predictions([[1.0, 2.0]], [1.0]), ValueError, r"y has shape \(1, 2\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, error, expected):
    with pytest.raises(error, match=expected):
        draw()
