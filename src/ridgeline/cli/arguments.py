"""What may be said on the command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .. import __version__
from .fit import fit as run_fit
from .inspect import inspect as run_inspect
from .models import MODELS
from .predict import predict as run_predict


class _Parser(argparse.ArgumentParser):
    """argparse, with its complaint on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The parser, whose result has the function to call as `run`."""
    whole = _Parser(prog="ridgeline", description="Fit linear models to a table, with a proof of how good the fit is.")
    whole.add_argument("--version", action="version", version=f"ridgeline {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    fit = commands.add_parser("fit", help="fit a model to a CSV or Parquet file and report on it")
    fit.set_defaults(run=run_fit)
    fit.add_argument("file", metavar="FILE", help="CSV with a header line, or Parquet")
    fit.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    fit.add_argument(
        "--model",
        choices=("auto", *MODELS),
        default="auto",
        help="auto (default): logistic where the target holds text or a few whole numbers, else ridge",
    )
    fit.add_argument("--alpha", type=float, help="weight of the penalty (ridge, huber: squared; lasso, quantile: L1)")
    fit.add_argument("--C", type=float, help="inverse weight of the penalty (logistic)")
    fit.add_argument("--epsilon", type=float, help="scales beyond which a residual is an outlier (huber)")
    fit.add_argument("--quantile", type=float, help="which quantile, 0.5 the median (quantile)")
    fit.add_argument("--weight", metavar="COLUMN", help="the column of sample weights")
    fit.add_argument("--drop", default="", metavar="A,B", help="columns to leave out")
    fit.add_argument("--one-hot", action="store_true", help="make 0/1 columns of text columns")
    fit.add_argument("--drop-missing", action="store_true", help="leave out rows with an empty cell")
    fit.add_argument("--test-fraction", type=float, default=0.25, help="rows to test on; 0 fits all (0.25)")
    fit.add_argument("--seed", type=int, default=0, help="of the random choice of test rows (0)")
    fit.add_argument("--out", metavar="MODEL", help="save the model to this file")

    predict = commands.add_parser("predict", help="predict the target for the rows of a file")
    predict.set_defaults(run=run_predict)
    predict.add_argument("model", metavar="MODEL", help="a file that fit --out wrote")
    predict.add_argument("file", metavar="FILE", help="CSV or Parquet with the columns of the fit, in any order")
    predict.add_argument("--out", metavar="CSV", help="write here instead of to standard output")
    predict.add_argument("--proba", action="store_true", help="add the probability of each class (logistic)")

    inspect = commands.add_parser("inspect", help="print what a model file holds")
    inspect.set_defaults(run=run_inspect)
    inspect.add_argument("model", metavar="MODEL")
    return whole
