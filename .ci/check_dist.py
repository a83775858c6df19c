"""Check what the source archive and the wheel in a folder hold: python .ci/check_dist.py FOLDER."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
KERNELS = sorted(path.stem for path in (ROOT / "_core").glob("*.pyx"))
LARGEST = 300_000  # bytes of one file of the source archive: text, and no data


def main(folder: Path) -> int:
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    with tarfile.open(sdist) as archive:
        sizes = {member.name.partition("/")[2]: member.size for member in archive if member.isfile()}
    with zipfile.ZipFile(wheel) as built:
        installed = set(built.namelist())

    folders = ("_core/", "src/ridgeline/", "tests/", "bench/", "docs/")
    wanted = [f"ridgeline/_core/{name}.pyi" for name in KERNELS] + ["ridgeline/py.typed", "ridgeline/__init__.pyi"]
    faults = [f"the sdist has nothing of {part}" for part in folders if not any(n.startswith(part) for n in sizes)]
    faults += [f"the sdist has no {name}" for name in ("LICENSE", "README.md", "meson.build") if name not in sizes]
    faults += [f"the sdist's {name} has {size} bytes" for name, size in sizes.items() if size > LARGEST]
    faults += [f"the wheel has no {name}" for name in wanted if name not in installed]
    for name in KERNELS:
        if not any(n.startswith(f"ridgeline/_core/{name}.") and n.endswith((".so", ".pyd")) for n in installed):
            faults.append(f"the wheel has no compiled {name}")
    sources = (".pyx", ".pxd", ".c", ".pyc", "meson.build")
    faults += [f"the wheel has {name}" for name in sorted(installed) if name.endswith(sources)]
    faults += [f"the wheel has {n}" for n in sorted(installed) if not n.startswith(("ridgeline/", "ridgeline-"))]

    print(f"{sdist.name}: {len(sizes)} files, {sdist.stat().st_size} bytes")
    print(f"{wheel.name}: {len(installed)} files, {wheel.stat().st_size} bytes")
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
