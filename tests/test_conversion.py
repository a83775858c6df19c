"""Arrays of other libraries: no copy where their memory can be read, and a message where it cannot."""

import numpy as np
import pytest

from ridgeline import LogisticRegression, Ridge
from ridgeline.conversion import as_array
from ridgeline.validation import check_matrix

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
Y = np.array([1.0, 2.0, 4.0, 5.0])


class Tensor:
    """An array that offers DLPack and nothing else."""

    def __init__(self, array, device=1):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device, 0


class Stubborn(Tensor):
    """One that refuses to become a NumPy array, as CUDA tensors do."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert cuda:0 device type tensor to numpy.")


def test_dlpack_is_not_copied():
    assert np.shares_memory(as_array(Tensor(X), "X"), X)
    assert np.shares_memory(check_matrix(Tensor(X)), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_dlpack_arrays_are_fitted_as_arrays_are(dtype, order):
    rows = X.astype(dtype, order=order)
    model = Ridge().fit(Tensor(rows), Tensor(Y), sample_weight=Tensor(np.ones(4)))
    np.testing.assert_array_equal(model.coef_, Ridge().fit(rows, Y, sample_weight=np.ones(4)).coef_)
    np.testing.assert_array_equal(model.predict(Tensor(rows)), model.predict(rows))
    classifier = LogisticRegression().fit(Tensor(rows), Tensor(np.array([0, 0, 1, 1])))
    assert classifier.predict(Tensor(rows)).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("kind", [Tensor, Stubborn])
@pytest.mark.parametrize("argument", ["X", "y"])
def test_another_device_is_named(kind, argument):
    elsewhere = kind(X if argument == "X" else Y, device=2)
    with pytest.raises(TypeError, match=rf"{argument}, a .*{kind.__name__}, lies on a GPU.*bring it over first, by {argument}.cpu\(\)"):
        Ridge().fit(elsewhere if argument == "X" else X, elsewhere if argument == "y" else Y)


def test_a_device_that_cannot_be_asked_is_left_to_the_conversion():
    class Shy(Tensor):
        def __dlpack_device__(self):
            raise RuntimeError("no device")

    np.testing.assert_array_equal(as_array(Shy(X), "X"), X)
    stubborn = type("Both", (Shy, Stubborn), {})
    with pytest.raises(TypeError, match="cannot be read as an array of numbers"):
        as_array(stubborn(X), "X")


def test_whole_numbers_of_any_size_are_numbers():
    frame = pytest.importorskip("pandas").DataFrame({"word": ["a", "b"], "huge": [10**400, 1], "complex": [1j, 2.0]}, dtype=object)
    with pytest.raises(ValueError, match=r"the columns \['word'\] hold no numbers"):
        Ridge().fit(frame, [1.0, 2.0])


def test_what_the_other_library_says_is_passed_on():
    with pytest.raises(TypeError, match="cannot be read as an array of numbers, such as float32 or float64: can't convert cuda:0"):
        as_array(Stubborn(X), "X")


def test_torch_tensors_share_their_memory():
    torch = pytest.importorskip("torch")
    rows = torch.tensor(X)
    assert np.shares_memory(check_matrix(rows), rows.numpy())
    np.testing.assert_array_equal(Ridge().fit(rows, torch.tensor(Y)).coef_, Ridge().fit(X, Y).coef_)
    assert Ridge().fit(rows.float(), Y).coef_.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.requires_grad_(), "X, a torch Tensor.*requires grad.*detach"),
        (lambda t: t.bfloat16(), "such as float32 or float64"),
        (lambda t: t.to("meta"), "meta device"),
        (lambda t: t.to_sparse(), "to_dense"),
    ],
)
def test_tensors_that_cannot_be_read(change, message):
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=message):
        Ridge().fit(change(torch.tensor(X)), Y)
