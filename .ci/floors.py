"""Print the oldest version of each run-time dependency that pyproject.toml allows, as pip takes it: numpy==1.26 ..."""

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
print(*(requirement.replace(">=", "==") for requirement in project["dependencies"]))
