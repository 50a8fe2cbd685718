"""What the model sees of a composition."""

from sklearn.pipeline import FeatureUnion, make_union

from assay.features import MagpieFeatures, StoichiometryFeatures


def build_features() -> FeatureUnion:
    """Make an unfitted transformer of a DataFrame with a column `formula` to floats (n, 138)."""
    return make_union(MagpieFeatures(), StoichiometryFeatures())
