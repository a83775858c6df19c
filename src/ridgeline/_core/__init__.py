"""The compiled kernels, built from `_core/*.pyx` at the top of the repository; each has its stub here."""
