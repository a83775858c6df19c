"""What the reference describes: every public name of ridgeline and, of a class, its methods and properties but those named here."""

INTERNAL = {
    # between an estimator and `fit_many`, or a cross-validation
    "fit_groups", "fit_known", "fit_rows", "certificate_of_kernel", "restore",
    # between a summary and `fold`, or a solver
    "add_rows", "copy", "finite", "lower", "mean_noise", "merge", "scaled_columns", "scaled_scatter", "target_scatter",
    "well_scaled",
    # between a table and its text
    "facts",
    # between the fits of groups and `fit_many`
    "put_batch", "put_failure", "put_model", "require_one", "labels",
    # of a certificate, as an estimator calls it
    "warn",
}  # fmt: skip
"""Methods without an underscore through which parts of the library talk to each other; no promise is made of them."""
