"""Many models from files: groups by a key column, in any order, with the bits of the rows in memory."""

import errno
import os

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.dataset  # noqa: F401
import pyarrow.parquet as pq

from ridgeline import HuberRegressor, LogisticRegression, Ridge, fit_many, source

rng = np.random.default_rng(21)
N = 6000
X = rng.normal(size=(N, 3))
SHOP = rng.integers(0, 40, N)
PRICE = X @ [1.0, -2.0, 0.5] + 0.1 * SHOP + rng.normal(size=N)
SOLD = np.where(PRICE > 2, "late", "soon")
WEIGHT = rng.uniform(0.5, 2.0, N)
NAMES = np.array([f"shop {k:02}" for k in range(40)])[SHOP]


def written(tmp_path, order=None, kind="parquet", **columns):
    table = {**{f"x{j}": X[:, j] for j in range(3)}, "price": PRICE, "sold": SOLD, "w": WEIGHT, "shop": SHOP, "name": NAMES, **columns}
    table = pa.table({name: values if order is None else values[order] for name, values in table.items()})
    path = tmp_path / f"sales.{kind}"
    if kind == "csv":
        pa.csv.write_csv(table, path)
    else:
        pq.write_table(table, path, row_group_size=1700)
    return path


FEATURES = ["x0", "x1", "x2"]


@pytest.mark.parametrize("key", ["shop", "name"])
@pytest.mark.parametrize("sorted_rows", [False, True])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_groups_of_a_file_are_those_of_the_rows(kind, sorted_rows, key, tmp_path):
    pytest.importorskip("pyarrow.csv")
    order = np.argsort(-SHOP, kind="stable") if sorted_rows else np.arange(N)
    rows = source(written(tmp_path, order, kind), target="price", weight="w", groups=key, features=FEATURES)
    fits = fit_many(Ridge(alpha=0.5), rows)
    inside = fit_many(Ridge(alpha=0.5), X[order], PRICE[order], (SHOP if key == "shop" else NAMES)[order], sample_weight=WEIGHT[order])
    assert fits.keys.tolist() == inside.keys.tolist()
    assert (fits.coef == inside.coef).all() and (fits.intercept == inside.intercept).all()
    assert fits.names.tolist() == FEATURES and set(fits.status) == {"optimal"}


@pytest.mark.parametrize(
    "model, target", [(LogisticRegression(), "sold"), (HuberRegressor(), "price"), (Ridge(), ["price", "w"])], ids=str
)
def test_every_loss_and_several_targets(model, target, tmp_path):
    rows = source(written(tmp_path), target=target, groups="shop", features=FEATURES)
    y = {"sold": SOLD, "price": PRICE}[target] if isinstance(target, str) else np.column_stack([PRICE, WEIGHT])
    fits, inside = fit_many(model, rows), fit_many(model, X, y, SHOP)
    assert (fits.coef == inside.coef).all()
    assert target != "sold" or fits.classes.tolist() == ["late", "soon"]


def test_offsets_and_all_other_columns(tmp_path):
    path = tmp_path / "sales.parquet"
    pq.write_table(pa.table({"x0": X[:, 0], "price": PRICE, "o": WEIGHT, "shop": SHOP}), path)
    rows = source(path, target="price", offset="o", groups="shop")
    fits = fit_many(Ridge(), rows)
    assert fits.names.tolist() == ["x0"]
    np.testing.assert_allclose(fits.coef, fit_many(Ridge(), X[:, :1], PRICE - WEIGHT, SHOP).coef, rtol=1e-9)


def test_a_group_that_cannot_be_fitted_touches_no_other(tmp_path):
    keys = SHOP.copy()
    keys[5] = 99
    fits_of = LogisticRegression()
    rows = source(written(tmp_path, shop=keys), target="sold", groups="shop", features=FEATURES)
    with pytest.warns(UserWarning, match="1 of 41 fits are not optimal"):
        fits = fit_many(fits_of, rows)
    assert fits.status[-1] == "failed" and (fits.status[:-1] == "optimal").all()


def test_what_is_refused(tmp_path):
    path = written(tmp_path)
    with pytest.raises(TypeError, match="the source of a table whose column of keys is named"):
        fit_many(Ridge(), source(path, target="price", features=FEATURES))
    with pytest.raises(TypeError, match="the source of a table whose column of keys is named"):
        fit_many(Ridge(), source(X, PRICE))
    with pytest.raises(TypeError, match="the source names targets"):
        fit_many(Ridge(), source(path, target="price", groups="shop", features=FEATURES), groups=SHOP)
    with pytest.raises(ValueError, match="no groups column 'shops'; did you mean 'shop'"):
        source(path, target="price", groups="shops")
    with pytest.raises(ValueError, match="the target holds names"):
        fit_many(Ridge(), source(path, target="sold", groups="shop", features=FEATURES))
    with pytest.raises(TypeError, match="groups= names columns of a table"):
        source(X, PRICE, groups="shop")
    keys = SHOP.astype(float)
    keys[4321] = np.nan
    with pytest.raises(ValueError, match=r"groups column 'shop' contains NaN in row 4321 of .*sales.parquet"):
        fit_many(Ridge(), source(written(tmp_path, shop=keys), target="price", groups="shop", features=FEATURES))


def test_parts_without_rows_are_no_groups(tmp_path):
    """As a filter leaves them."""
    table, order = pq.read_table(written(tmp_path)), np.argsort(SHOP, kind="stable")
    (tmp_path / "parts").mkdir()
    for k, part in enumerate(np.array_split(order, 5)):
        pq.write_table(table.take(part), tmp_path / "parts" / f"{k}.parquet")
    data = pa.dataset.dataset(tmp_path / "parts").filter(pa.dataset.field("shop") >= 38)
    assert any(not batch.num_rows for batch in data.to_batches())
    fits = fit_many(Ridge(), source(data, target="price", groups="shop", features=FEATURES))
    kept = SHOP >= 38
    assert fits.keys.tolist() == [38, 39]
    np.testing.assert_allclose(fits.coef, fit_many(Ridge(), X[kept], PRICE[kept], SHOP[kept]).coef, rtol=1e-11)
    one = Ridge().fit_source(source(data, target="price", features=FEATURES))
    np.testing.assert_allclose(one.coef_, Ridge().fit(X[kept], PRICE[kept]).coef_, rtol=1e-11)
    nothing = pa.dataset.dataset(written(tmp_path)).filter(pa.dataset.field("shop") > 99)
    with pytest.raises(ValueError, match="the source has no rows"):
        fit_many(Ridge(), source(nothing, target="price", groups="shop", features=FEATURES))


def test_a_full_disk_is_an_error_before_a_row_is_written(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="no space left in .* for 144000 bytes of rows in order of their groups"):
        fit_many(Ridge(), source(written(tmp_path), target="price", groups="shop", features=FEATURES))
