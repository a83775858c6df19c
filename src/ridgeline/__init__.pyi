# What `import ridgeline` offers, for editors and type checkers: the table _HOME of __init__.py, name by name.
from .activations import log_sigmoid as log_sigmoid
from .activations import log_softmax as log_softmax
from .activations import logsumexp as logsumexp
from .activations import one_hot as one_hot
from .activations import sigmoid as sigmoid
from .activations import softmax as softmax
from .activations import softplus as softplus
from .certificate import Certificate as Certificate
from .configuration import show_config as show_config
from .descent import DescentResult as DescentResult
from .descent import gradient_descent as gradient_descent
from .estimators.huber import HuberRegressor as HuberRegressor
from .estimators.least_squares import LinearRegression as LinearRegression
from .estimators.least_squares import Ridge as Ridge
from .estimators.logistic import LogisticRegression as LogisticRegression
from .estimators.quantile import QuantileRegressor as QuantileRegressor
from .estimators.ridge_cv import RidgeCV as RidgeCV
from .lecture import least_squares_by_inverse as least_squares_by_inverse
from .lecture import least_squares_cost as least_squares_cost
from .lecture import least_squares_gradient as least_squares_gradient
from .lecture import logistic_cost as logistic_cost
from .lecture import logistic_gradient as logistic_gradient
from .losses import absolute_error as absolute_error
from .losses import binary_cross_entropy as binary_cross_entropy
from .losses import categorical_cross_entropy as categorical_cross_entropy
from .losses import huber as huber
from .losses import kl_divergence as kl_divergence
from .losses import sparse_categorical_cross_entropy as sparse_categorical_cross_entropy
from .losses import squared_error as squared_error
from .many import fit_many as fit_many
from .moments import Moments as Moments
from .risk import empirical_risk as empirical_risk
from .risk import generalization_gap as generalization_gap
from .risk import train_test_split as train_test_split
from .sources import source as source

__version__: str
