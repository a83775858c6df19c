"""What may be said on the command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .. import __version__
from .fit import fit as run_fit
from .inspect import inspect as run_inspect
from .merge import merge as run_merge
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
    fit.add_argument("file", metavar="FILE", help="CSV with a header line, or Parquet; a folder or a 'glob*' of them")
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
    fit.add_argument("--test-fraction", type=float, help="rows to test on; 0 fits all (0.25; in passes 0)")
    fit.add_argument("--seed", type=int, default=0, help="of the random choice of test rows (0)")
    fit.add_argument("--out", metavar="MODEL", help="save the model to this file")
    fit.add_argument("--stream", action="store_true", help="read the rows in passes, as is done of itself above 256 MB")
    fit.add_argument("--engine", metavar="ENGINE", help="dask://HOST:PORT, dask or ray: whose workers open the files (Parquet)")
    fit.add_argument("--checkpoint", metavar="FILE", help="record the fit, so that the same command goes on where it ended")
    fit.add_argument("--time-limit", type=float, metavar="SECONDS", help="end with the best coefficients found by then")
    fit.add_argument("--categories", action="append", metavar="COLUMN=A,B", help="the words of a column, the reference first")
    fit.add_argument("--moments-out", metavar="MOMENTS", help="save the moments of the rows, for merge (linear, ridge)")
    fit.add_argument("--skip-damaged", action="store_true", help="leave out what cannot be read: row groups, files, lines of CSV")
    fit.add_argument("--quiet", action="store_true", help="no progress on standard error")

    merge = commands.add_parser("merge", help="merge moments of several files, days or sites, and fit a model to them")
    merge.set_defaults(run=run_merge)
    merge.add_argument("files", nargs="+", metavar="MOMENTS", help="files that fit --moments-out wrote")
    merge.add_argument("--minus", action="append", default=[], metavar="MOMENTS", help="take the rows of these away again")
    merge.add_argument("--model", choices=("linear", "ridge", "lasso"), default="ridge", help="(ridge)")
    merge.add_argument("--alpha", type=float, help="weight of the penalty")
    merge.add_argument("--out", metavar="MODEL", help="save the model to this file")
    merge.add_argument("--moments-out", metavar="MOMENTS", help="save the moments of all together")

    predict = commands.add_parser("predict", help="predict the target for the rows of a file")
    predict.set_defaults(run=run_predict)
    predict.add_argument("model", metavar="MODEL", help="a file that fit --out wrote")
    predict.add_argument("file", metavar="FILE", help="CSV or Parquet with the columns of the fit, in any order")
    predict.add_argument("--out", metavar="FILE", help="write here (CSV, or .parquet) instead of to standard output")
    predict.add_argument("--stream", action="store_true", help="read the rows in batches, as is done of itself above 256 MB")
    predict.add_argument("--proba", action="store_true", help="add the probability of each class (logistic)")

    inspect = commands.add_parser("inspect", help="print what a file holds: a model, moments or a checkpoint")
    inspect.set_defaults(run=run_inspect)
    inspect.add_argument("model", metavar="FILE")
    return whole
