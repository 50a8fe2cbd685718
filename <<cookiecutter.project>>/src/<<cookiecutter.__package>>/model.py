"""The model: change anything here, as long as `build_model` keeps its name and argument."""

from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import Pipeline, make_pipeline

from .features import build_features


def build_model(seed: int) -> Pipeline:
    """Make an unfitted scikit-learn estimator; its X is a DataFrame with a column `formula`.

    The same seed must give the same model. For a yes/no target take RandomForestClassifier.
    """
    # one core: on several, trees are summed in varying order and the last digits change
    forest = RandomForestRegressor(n_estimators=100, max_features=1 / 3, random_state=seed)
    return make_pipeline(build_features(), forest)
