"""The model: change anything here, as long as `build_model` keeps its name and argument."""

from sklearn.ensemble import BaggingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.tree import DecisionTreeRegressor

from .features import build_features


def build_model(seed: int) -> Pipeline:
    """Make an unfitted scikit-learn estimator; its X is a DataFrame with a column `formula`.

    The same seed must give the same model. For a yes/no target take BaggingClassifier and
    DecisionTreeClassifier.
    """
    # Each tree sees all rows and a fifth of the features. Unlike a random forest, which draws rows
    # again, this changes little when a row is added, removed or corrected.
    tree = DecisionTreeRegressor(min_samples_leaf=3)
    # one core: on several, trees are summed in varying order and the last digits change
    forest = BaggingRegressor(
        tree, n_estimators=150, max_features=0.2, bootstrap=False, random_state=seed
    )
    return make_pipeline(build_features(), forest)
