"""
Losses
======

A loss says how bad one prediction :math:`\\hat y` of one target :math:`y` is.

.. math::

   \\text{squared: } (y - \\hat y)^2 \\qquad
   \\text{absolute: } |y - \\hat y| \\qquad
   \\text{Huber: } h_\\delta(r) = \\begin{cases} r^2/2 & |r| \\le \\delta \\\\ \\delta(|r| - \\delta/2) & |r| > \\delta \\end{cases}
   \\quad\\text{with } r = y - \\hat y
"""

import numpy as np

from ridgeline import huber

print(huber([0.0, 0.0], [0.5, 3.0]))
