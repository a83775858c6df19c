"""The tests of scikit-learn that our classes fail, and why: patterns of test_module::test_name[parameters]."""

FAILURES: dict[str, str] = {}
