"""Pictures in the manner of scikit-learn's displays: made from a model or from predictions, drawn into axes of the caller's or new ones.

    RocCurveDisplay.from_estimator(model, X, y).figure_.savefig("roc.png")

A display keeps the numbers it shows as attributes, `plot(ax=None)` draws them again, and `ax_` and `figure_` are where they were drawn.
matplotlib is an optional dependency, imported when a picture is drawn.  Only its object interface is used: no global state, no window; a
new figure shows itself in a notebook.  Every colour that is not the theme's own stands out from a white and from a black page.

    drawing            colours, axes, and what a display is
    points             the arithmetic of the curves: ROC, calibration, counts, quantiles
    sigmoid, risk_curve, coefficient_path, roc, calibration, confusion, decision, residuals, leverage    one picture each
"""

from .calibration import CalibrationDisplay, plot_calibration
from .coefficient_path import CoefficientPathDisplay
from .confusion import ConfusionMatrixDisplay, plot_confusion_matrix
from .decision import DecisionBoundaryDisplay
from .leverage import LeverageDisplay
from .residuals import QuantileDisplay, ResidualsDisplay
from .risk_curve import RiskCurveDisplay, plot_risk_curve
from .roc import RocCurveDisplay
from .sigmoid import SigmoidDisplay, plot_sigmoid

__all__ = [
    "CalibrationDisplay",
    "CoefficientPathDisplay",
    "ConfusionMatrixDisplay",
    "DecisionBoundaryDisplay",
    "LeverageDisplay",
    "QuantileDisplay",
    "ResidualsDisplay",
    "RiskCurveDisplay",
    "RocCurveDisplay",
    "SigmoidDisplay",
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_risk_curve",
    "plot_sigmoid",
]
