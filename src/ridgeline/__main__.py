"""The command line: fit the user's own table, predict with the model it saved, look into that model.

    python -m ridgeline fit houses.csv --target price --out model.rl
    python -m ridgeline predict model.rl new.csv --out predictions.csv
    python -m ridgeline inspect model.rl
"""

import sys

from .cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
