"""A fitted model as an ONNX graph, which programs without Python can run.

    regression        variable       = X W + b                                    (n, t)
    classification    probabilities  = softmax(X W + b)                           (n, c)
                      label          = classes[argmax(X W + b)]                   (n,)

For two classes the logits are (0, x w + b), whose softmax is (1 - sigma, sigma): one graph for any number of classes, with every digit
of the smaller probability, which a runtime's sigmoid does not keep where it clips its argument.  A tie goes to the first class, as in
`predict`.

The graph is MatMul, Add, Softmax, ArgMax and Gather of the plain operator set.  The operators LinearRegressor and LinearClassifier of
ai.onnx.ml hold their coefficients in single precision, which would cost eight of sixteen digits.

Names of inputs and outputs are those that skl2onnx gives a linear model of scikit-learn's (its probabilities without ZipMap, as a tensor).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .estimators.base import Estimator
from .files.replacement import replace_file

if TYPE_CHECKING:
    from onnx import ModelProto

# Softmax along an axis and ArgMax of doubles came with 13; the file format of the same time, so that runtimes from 2021 on read it.
OPERATORS, FILE_FORMAT = 13, 7


def to_onnx(model: Any, path: str | os.PathLike[str] | None = None, *, dtype: Any = None) -> ModelProto:
    """A fitted model as an ONNX graph.

    Parameters
    ----------
    model : estimator
        Any of this library's, fitted.
    path : path-like, optional
        Where to write it; replaced if it exists, whole or not at all.
    dtype : {"float32", "float64"}, optional
        Of the input and of the arithmetic; that of the coefficients by default.

    Returns
    -------
    onnx.ModelProto
        Input "X" (n, d), any number of rows. Output "variable" (n, t) of a regressor, t = 1 for a single target; outputs "label" (n,) and
        "probabilities" (n, c) of a classifier. Its metadata hold "feature_names" (a JSON list, where the fit had names), "estimator"
        and "ridgeline".

    Raises
    ------
    ImportError
        Without the package onnx.
    TypeError
        For what is no estimator of this library, and for labels that ONNX has no type for.
    ValueError
        For a model that is not fitted, and another dtype.

    Notes
    -----
    NaN in the input comes out as NaN: a graph cannot raise the error that `predict` does.

    Examples
    --------
    >>> from ridgeline import Ridge, to_onnx
    >>> graph = to_onnx(Ridge().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])).graph
    >>> [output.name for output in graph.output]
    ['variable']
    """
    try:
        from onnx import helper
    except ImportError as error:
        raise ImportError("to_onnx needs onnx: pip install 'ridgeline[onnx]'.") from error
    if not issubclass(type(model), Estimator):
        raise TypeError(f"to_onnx takes an estimator of ridgeline's, got {type(model).__name__}.")
    model._require_fitted()
    coef = np.atleast_2d(model.coef_ if isinstance(model.coef_, np.ndarray) else model.coef_.toarray())
    real = _real(dtype, coef.dtype)
    intercept = np.broadcast_to(np.asarray(model.intercept_, dtype=real), (len(coef),))
    build = _classifier if hasattr(model, "classes_") else _regressor
    nodes, constants, outputs = build(model, coef.astype(real).T, intercept)
    graph = helper.make_graph(
        nodes,
        type(model).__name__,
        [helper.make_tensor_value_info("X", helper.np_dtype_to_tensor_dtype(real), ["n", coef.shape[1]])],
        outputs,
        constants,
    )
    return _finished(graph, model, path)


def _real(dtype: Any, own: np.dtype) -> np.dtype:
    real = np.dtype(own if dtype is None else dtype)
    if real not in (np.float32, np.float64):
        raise ValueError(f"dtype is {real}; a model is exported in float32 or float64.")
    return real


def _linear(W: np.ndarray, b: np.ndarray, name: str) -> tuple[list[Any], list[Any]]:
    """The nodes of X W + b, whose value is called `name`, and their constants."""
    from onnx import helper, numpy_helper

    nodes = [helper.make_node("MatMul", ["X", "W"], ["XW"]), helper.make_node("Add", ["XW", "b"], [name])]
    return nodes, [numpy_helper.from_array(np.ascontiguousarray(W), "W"), numpy_helper.from_array(np.ascontiguousarray(b), "b")]


def _regressor(model: Any, W: np.ndarray, b: np.ndarray) -> tuple[list[Any], list[Any], list[Any]]:
    """Nodes, constants and outputs."""
    from onnx import helper

    nodes, constants = _linear(W, b, "variable")
    return nodes, constants, [helper.make_tensor_value_info("variable", helper.np_dtype_to_tensor_dtype(W.dtype), ["n", W.shape[1]])]


def _classifier(model: Any, W: np.ndarray, b: np.ndarray) -> tuple[list[Any], list[Any], list[Any]]:
    """Nodes, constants and outputs."""
    from onnx import helper

    classes = _labels(model.classes_)
    if len(model.classes_) == 2:
        W, b = np.column_stack([np.zeros_like(W), W]), np.concatenate([np.zeros_like(b), b])
    nodes, constants = _linear(W, b, "logits")
    nodes += [
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["logits"], ["index"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "index"], ["label"]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", classes.data_type, ["n"]),
        helper.make_tensor_value_info("probabilities", helper.np_dtype_to_tensor_dtype(W.dtype), ["n", W.shape[1]]),
    ]
    return nodes, [*constants, classes], outputs


def _labels(classes: np.ndarray) -> Any:
    """The classes as a constant: strings, whole numbers of 64 bits, fractions or truths."""
    from onnx import TensorProto, helper, numpy_helper

    if classes.dtype.kind == "U" or (classes.dtype.kind == "O" and all(isinstance(label, str) for label in classes)):
        return helper.make_tensor("classes", TensorProto.STRING, [len(classes)], [label.encode() for label in classes.tolist()])
    if classes.dtype.kind not in "biuf":
        raise TypeError(f"labels of type {classes.dtype} have no type in ONNX: fit with strings or whole numbers.")
    return numpy_helper.from_array(classes.astype(np.int64) if classes.dtype.kind in "iu" else classes, "classes")


def _finished(graph: Any, model: Any, path: str | os.PathLike[str] | None) -> ModelProto:
    """The graph with what describes it, written where a path is given."""
    from onnx import helper

    from . import __version__

    proto = helper.make_model(
        graph,
        producer_name="ridgeline",
        producer_version=__version__,
        ir_version=FILE_FORMAT,
        opset_imports=[helper.make_opsetid("", OPERATORS)],
    )
    described = {"ridgeline": __version__, "estimator": repr(model)}
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        described["feature_names"] = json.dumps(list(names), ensure_ascii=False)
    helper.set_model_props(proto, described)
    if path is not None:
        replace_file(path, proto.SerializeToString())
    return proto
