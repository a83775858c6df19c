"""The demonstration: its parts agree with scikit-learn, its pictures are written."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the demonstration compares with scikit-learn")
pytest.importorskip("matplotlib", reason="the demonstration draws pictures")

from bench import demo


@pytest.mark.parametrize("fit", demo.FITS[:3], ids=lambda fit: fit.title.split(":")[0])
def test_both_libraries_reach_the_same_minimum(fit, monkeypatch):
    monkeypatch.setattr(demo, "RUNS", 1)
    lines = demo.run(fit)
    assert any("proven optimal" in line for line in lines) and any("gap" in line for line in lines)
    # scikit-learn's Huber regression stops at its quasi-Newton method's own limit, near 1e-5.
    tolerance = 1e-3 if "Huber" in fit.title else 1e-9
    assert demo.difference(fit.ours, fit.theirs) < tolerance
    X, y = fit.load()
    assert fit.objective(fit.ours.fit(X, y), X, y) <= fit.objective(fit.theirs.fit(X, y), X, y) * (1 + 1e-12)


@pytest.mark.slow
def test_the_whole_demonstration(tmp_path, capsys):
    demo.main(["--output", str(tmp_path / "pictures")])
    out = capsys.readouterr().out
    assert out.count("proven optimal") == 4 and len(out.splitlines()) < 100
    for name in demo.PICTURES:
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", [name for name in demo.PICTURES if name != "confusion_matrix"])
def test_pictures(name, tmp_path):
    assert demo.PICTURES[name](tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_the_difference_is_relative_to_the_largest_coefficient():
    class Model:
        def __init__(self, *coef):
            self.coef_ = np.array(coef)

    assert demo.difference(Model(1.0, 10.0), Model(2.0, 10.0)) == 0.1
