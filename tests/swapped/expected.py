"""The tests of scikit-learn that our classes fail, and why: patterns of test_module::test_name[parameters]."""

A_HINT = "a solver's name is a hint: what one solver of scikit-learn cannot do is done all the same"
NO_COUNT = "the solution is direct: there are no steps to count or to warn of"
TEN_STEPS = "max_iter=1 stands for ten steps of L-BFGS"
PRIVATE = "calls a private function or attribute of scikit-learn's"
CALLBACKS = "the callbacks of scikit-learn's L-BFGS, an iteration each, have no place in fits that start from samples"

ONE_CLASS = "rows of one class say nothing of the other, and a split that fits them is refused"
NO_CHANGE = "defaults stay, so nothing warns that they will change"

FAILURES: dict[str, str] = {
    "test_base::test_inplace_data_preprocessing[[]42-*-None]": "X is never written to, copy_X=False or not",
    "test_base::test_raises_value_error_if_positive_and_sparse": A_HINT,
    "test_huber::test_huber_warm_start": "each fit starts from least squares, which is as near",
    "test_coordinate_descent::test_1d_multioutput_*_and_multitask_*_cv": "beside scikit-learn's multi-task classes at a loose tolerance",
    "test_coordinate_descent::test_check_input_false": "rows in C order are taken too",
    "test_coordinate_descent::test_enet_copy_X_False_check_input_False": "X is never written to, copy_X=False or not",
    "test_coordinate_descent::test_enet_nonfinite_params": "columns near 1e308 are scaled and fitted",
    "test_coordinate_descent::test_lasso_dual_gap": "dual_gap_ bounds F - F* with rounding counted",
    "test_coordinate_descent::test_lassoCV_does_not_set_precompute*": PRIVATE,
    "test_logistic::test_check_solver_option*": A_HINT,
    "test_logistic::test_get_default_scorer": PRIVATE,
    "test_logistic::test_l1_ratio_None_deprecated": NO_CHANGE,
    "test_logistic::test_logistic_cv_folds_with_classes_missing[[]2-*": ONE_CLASS,
    "test_logistic::test_logisticregressioncv_warns_with_use_legacy_attributes": NO_CHANGE,
    "test_logistic::test_lr_scoring_warns": NO_CHANGE,
    "test_logistic::test_large_sparse_matrix[[]*-liblinear[]]": A_HINT,
    "test_logistic::test_large_sparse_matrix[[]*-sag[]]": A_HINT,
    "test_logistic::test_large_sparse_matrix[[]*-saga[]]": A_HINT,
    "test_logistic::test_dtype_match[[]*-liblinear[]]": "float32 rows give float32 coefficients, whatever the solver's name",
    "test_logistic::test_liblinear_dual_random_state[[]42[]]": "nothing is drawn by chance",
    "test_logistic::test_liblinear_multiclass_raises*": A_HINT,
    "test_logistic::test_liblinear_with_large_values": A_HINT,
    "test_logistic::test_logistic_cv_multinomial_score*": PRIVATE,
    "test_logistic::test_logreg_predict_proba_multinomial[[]42[]]": PRIVATE,
    "test_logistic::test_logistic_regression_callback_*": CALLBACKS,
    "test_logistic::test_max_iter[[]42-lbfgs-*": TEN_STEPS,
    "test_logistic::test_newton_cholesky_fallback_to_lbfgs": "rows that do not determine the coefficients are warned of, C=1e30 or not",
    "test_logistic::test_warm_start[[]42-*-False-lbfgs[]]": TEN_STEPS,
    "test_quantile::test_error_interior_point_future": A_HINT,
    "test_ridge::test_lbfgs_solver_error": NO_COUNT,
    "test_ridge::test_n_iter": NO_COUNT,
    "test_ridge::test_ridge_fit_intercept_sparse_sag*": A_HINT,
}
