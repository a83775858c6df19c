"""Where a new user stumbles, and the message that leads on: what is wrong, where, and what to do."""

import pickle

import numpy as np
import pytest

import ridgeline
from ridgeline import LogisticRegression, Ridge

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
Y = np.array([1.0, 2.0, 4.0, 5.0])
WORDS = np.array(["no", "no", "yes", "yes"])


STUMBLES = {
    "misspell a parameter": (lambda: Ridge(alhpa=1.0), TypeError, r"unexpected keyword argument 'alhpa'. Did you mean 'alpha'\?"),
    "misspell it later": (lambda: Ridge().set_params(alhpa=1.0), ValueError, "Did you mean 'alpha'"),
    "invent one": (lambda: Ridge(penalty_strength=1.0), TypeError, r"Valid parameters are: \['alpha', 'fit_intercept'"),
    "misspell a class": (lambda: ridgeline.LogisticRegresion, AttributeError, r"did you mean 'LogisticRegression'\?"),
    "a number as text": (lambda: Ridge(alpha="1").fit(X, Y), TypeError, "alpha must be a number at least 0, got '1'"),
    "forget to fit": (lambda: Ridge().predict(X), ValueError, "not fitted yet. Call 'fit'"),
    "forget y": (lambda: Ridge().fit(X, None), ValueError, "requires y to be passed"),
    "one row": (lambda: Ridge().fit(X, Y).predict(X[0]), ValueError, r"X.reshape\(1, -1\) one row"),
    "one row of a list": (lambda: Ridge().fit(X, Y).predict([1.0, 2.0]), ValueError, r"X.reshape\(1, -1\) one row"),
    "another number of columns": (lambda: Ridge().fit(X, Y).predict(X[:, :1]), ValueError, "X has 1 features, .* expecting 2"),
    "a path": (lambda: Ridge().fit("houses.csv", Y), ValueError, r"fit_source\(ridgeline.source\('houses.csv', target=...\)\)"),
    "a column's name as y": (lambda: Ridge().fit(X, "price"), ValueError, r"pass the column itself: X\['price'\]"),
    "a dict": (lambda: Ridge().fit({"a": [1.0, 2.0]}, [1.0, 2.0]), TypeError, r"X is a dict.*pandas.DataFrame\(X\)"),
    "anything else": (lambda: Ridge().fit(object(), Y), TypeError, "X is a object, which is no array: pass an array, a data frame"),
    "words as y of a regression": (lambda: Ridge().fit(X, WORDS), ValueError, "for labels take a classifier, such as LogisticRegression"),
    "words among objects": (lambda: Ridge().fit(X, WORDS.astype(object)), ValueError, "y holds 'no' at row 0.*take a classifier"),
    "numbers as y of a classifier": (lambda: LogisticRegression().fit(X, Y + 0.5), ValueError, "use a regressor, such as Ridge"),
    "one class": (lambda: LogisticRegression().fit(X, ["a"] * 4), ValueError, "at least 2 classes"),
    "rows that do not match": (lambda: Ridge().fit(X, Y[:3]), ValueError, "X has 4 rows, y has 3"),
    "ragged rows": (lambda: Ridge().fit([[1.0, 2.0], [3.0]], [1.0, 2.0]), ValueError, "X is not a rectangular array of numbers"),
    "no rows": (lambda: Ridge().fit(X[:0], Y[:0]), ValueError, "0 sample"),
    "a gap": (lambda: Ridge().fit([[1.0], [np.nan]], [1.0, 2.0]), ValueError, "X contains NaN at row 1, column 0; drop such rows or fill"),
    "save too early": (lambda: ridgeline.save(Ridge(), "model.rl"), ValueError, "call fit before save"),
}


@pytest.mark.parametrize("case", STUMBLES)
def test_the_message_leads_to_the_fix(case):
    stumble, error, message = STUMBLES[case]
    with pytest.raises(error, match=message):
        stumble()


def test_a_subclass_may_take_any_parameter():
    class Own(Ridge):
        def __init__(self, **options):
            super().__init__(**options)

    assert Own(alpha=3.0).alpha == 3.0
    with pytest.raises(TypeError, match="alhpa"):
        Own(alhpa=3.0)


def test_a_check_of_names_leaves_copies_and_pickles_alone():
    model = pickle.loads(pickle.dumps(Ridge(alpha=3.0).fit(X, Y)))
    assert model.alpha == 3.0 and model.predict(X).shape == (4,)


# ------------------------------------------------------------------------------------------------- frames


def pandas_frame(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def polars_frame(columns):
    return pytest.importorskip("polars").DataFrame(columns)


def arrow_table(columns):
    return pytest.importorskip("pyarrow").table(columns)


FRAMES = {"pandas": pandas_frame, "polars": polars_frame, "pyarrow": arrow_table}
ESTIMATORS = [name for name, home in ridgeline._HOME.items() if home.startswith("estimators") and name[0].isupper()]


@pytest.mark.filterwarnings("ignore::ridgeline.certificate.FitWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("library", FRAMES)
def test_names_of_columns_are_kept(library, estimator):
    frame = FRAMES[library]({"height": X[:, 0], "Größe": X[:, 1]})
    model = getattr(ridgeline, estimator)(**({"cv": 2} if estimator.endswith("CV") else {}))
    y = WORDS if "Logistic" in estimator else Y
    model.fit(frame, y)
    assert model.feature_names_in_.tolist() == ["height", "Größe"]
    of_array = getattr(ridgeline, estimator)(**model.get_params()).fit(X, y)
    np.testing.assert_allclose(model.coef_, of_array.coef_, rtol=1e-9, atol=1e-12)
    assert model.predict(frame).shape == (4,)


@pytest.mark.parametrize("library", FRAMES)
def test_a_column_of_words_is_named_with_its_remedy(library):
    frame = FRAMES[library]({"size": [1.0, 2.0, 3.0], "colour": ["red", "blue", "red"], "town": ["a", "b", "c"]})
    remedy = {"pandas": r"pandas.get_dummies\(X, columns=\['colour', 'town'\]\)", "polars": r"X.to_dummies\(\['colour', 'town'\]\)"}
    with pytest.raises(ValueError, match=rf"'red' at row 0, column 1 \('colour'\).*{remedy.get(library, 'one 0/1 column per category')}"):
        Ridge().fit(frame, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("library", FRAMES)
def test_the_remedy_for_words_works(library):
    frame = FRAMES[library]({"size": [1.0, 2.0, 3.0, 5.0], "colour": ["red", "blue", "red", "blue"], "price": [1.0, 2.0, 3.5, 4.0]})
    model = Ridge().fit_source(ridgeline.source(frame, target="price"))
    assert model.feature_names_in_.tolist() == ["size", "colour=red"]


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("estimator", ["Ridge", "LogisticRegression", "Lasso", "HuberRegressor", "QuantileRegressor"])
def test_a_gap_is_named(library, estimator):
    frame = FRAMES[library]({"size": [1.0, 2.0, 3.0, 4.0], "age": [1.0, 2.0, None, 3.0]})
    with pytest.raises(ValueError, match=r"X contains NaN at row 2, column 1 \('age'\); drop such rows or fill"):
        getattr(ridgeline, estimator)().fit(frame, WORDS if estimator == "LogisticRegression" else Y)


def test_pandas_nullable_and_categorical_columns():
    pandas = pytest.importorskip("pandas")
    for dtype in ("Int64", "Float64", "boolean"):
        column = pandas.Series([0, 1, 0, 1]).astype(dtype)
        np.testing.assert_array_equal(
            Ridge().fit(pandas.DataFrame({"a": X[:, 0], "b": column}), Y).coef_, Ridge().fit(np.c_[X[:, 0], [0, 1, 0, 1]], Y).coef_
        )
        column[2] = pandas.NA
        with pytest.raises(ValueError, match=r"NaN at row 2, column 1 \('b'\)"):
            Ridge().fit(pandas.DataFrame({"a": X[:, 0], "b": column}), Y)
    words = pandas.Series(["red", "blue", "red", "blue"], dtype="category")
    with pytest.raises(ValueError, match=r"'red' at row 0, column 1 \('b'\).*get_dummies\(X, columns=\['b'\]\)"):
        Ridge().fit(pandas.DataFrame({"a": X[:, 0], "b": words}), Y)
    dates = pandas.date_range("2024-01-01", periods=4)
    with pytest.raises(TypeError, match="turn times into numbers first"):
        Ridge().fit(pandas.DataFrame({"a": X[:, 0], "b": dates}), Y)


def test_columns_in_another_order_or_missing():
    model = Ridge().fit(pandas_frame({"a": X[:, 0], "b": X[:, 1]}), Y)
    with pytest.raises(ValueError, match="same order as they were in fit"):
        model.predict(pandas_frame({"b": X[:, 1], "a": X[:, 0]}))
    with pytest.raises(ValueError, match=r"now missing: \['b'\]"):
        model.predict(pandas_frame({"a": X[:, 0]}))


def test_a_gap_at_prediction_is_named():
    model = Ridge().fit(pandas_frame({"a": X[:, 0], "b": X[:, 1]}), Y)
    with pytest.raises(ValueError, match=r"NaN at row 1, column 0 \('a'\)"):
        model.predict(pandas_frame({"a": [1.0, None], "b": [1.0, 2.0]}))


def test_a_lazy_frame_is_to_be_collected():
    frame = polars_frame({"a": X[:, 0], "b": X[:, 1]}).lazy()
    with pytest.raises(TypeError, match=r"X is a polars LazyFrame, which is no array: collect it first, X.collect\(\)"):
        Ridge().fit(frame, Y)
