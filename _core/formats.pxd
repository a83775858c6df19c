"""The two formats of a number that kernels are written for, in one text."""

ctypedef fused real:
    float
    double
