"""Composition features for whole columns of formulas at once, equal to matminer's."""

from assay.features.plugged import MatminerFeatures
from assay.features.tables import (
    magpie,
    magpie_table,
    missing_properties,
    stoichiometry,
    valence_orbitals,
)
from assay.features.transformers import (
    GapError,
    IonFeatures,
    MagpieFeatures,
    StoichiometryFeatures,
    ValenceOrbitalFeatures,
    column_of_formulas,
)

__all__ = [
    "GapError",
    "IonFeatures",
    "MagpieFeatures",
    "MatminerFeatures",
    "StoichiometryFeatures",
    "ValenceOrbitalFeatures",
    "column_of_formulas",
    "magpie",
    "magpie_table",
    "missing_properties",
    "stoichiometry",
    "valence_orbitals",
]
