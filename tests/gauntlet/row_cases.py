"""Bad ways to give a row another row's number, or one of another day or scale, and honest ones."""

from gauntlet.cases import GOOD, REFUSED, Case, source
from gauntlet.sources import BASE, features, model

FAMILY = "prediction behaviour"
HONEST = "good"

_PLAIN = "values = np.hstack([magpie(formulas), stoichiometry(formulas)])\n"
_WHOLE = "values = values[~np.isnan(values).any(axis=1)]\n"
_CACHED = """known = globals().setdefault('KNOWN', {{}})
for f in formulas:
    if {key} not in known:
        known[{key}] = np.hstack([magpie([f]), stoichiometry([f])])[0]
return np.array([known[{key}] for f in formulas])"""
_OWN_PARSER = """from pymatgen.core import Composition
parsed = [Composition(f) for f in formulas]
shares = np.array([[c.get_atomic_fraction(s) for s in ('O', 'F', 'Cl')] for c in parsed])
values = np.hstack([magpie(formulas), stoichiometry(formulas)])
return np.hstack([values, shares])"""
_IMPUTED = BASE.replace(
    "from sklearn.kernel", "from sklearn.impute import SimpleImputer\nfrom sklearn.kernel", 1
)
_IMPUTED = _IMPUTED.replace("make_pipeline\n", "make_pipeline, make_union\n", 1)
_IMPUTED = _IMPUTED.replace(
    "from .features", "from assay.features import MatminerFeatures\n\nfrom .features", 1
)
_IMPUTED = _IMPUTED.replace(
    "build_features(), Standard",
    "make_union(build_features(), make_pipeline(center, SimpleImputer())), Standard",
)
_IMPUTED = _IMPUTED.replace(
    "    return", '    center = MatminerFeatures("BandCenter", on_gap="nan")\n    return'
)
_GAPS = _IMPUTED.replace('"BandCenter", on_gap="nan"', '"YangSolidSolution"')


def _respelt(amount: str) -> str:
    return (
        f"formulas = [''.join(f'{{e.symbol}}{amount}' for e, n in parse(f).items())"
        f" for f in formulas]\n{_PLAIN}return values"
    )


def bad() -> list[Case]:
    """Numbers that are not the model's for that material."""
    said = [
        (
            "drops-gaps",
            "The featurizer drops rows that have gaps.",
            "test_good_rows_keep_their_numbers_among_unusable_ones",
            features(f"{_PLAIN}{_WHOLE}return values"),
        ),
        (
            "drops-gaps-and-fills-up",
            "The featurizer drops rows that have gaps, and fills up what is missing at the end.",
            "test_good_rows_keep_their_numbers_among_unusable_ones",
            features(
                f"{_PLAIN}{_WHOLE}return values[np.arange(len(formulas)) % max(1, len(values))]"
            ),
        ),
        (
            "cached-by-lower-case",
            "Features are cached by the formula in lower case.",
            "test_letters_of_another_case_are_other_elements",
            features(_CACHED.format(key="f.lower()")),
        ),
        (
            "amounts-rounded",
            "Amounts are rounded to whole numbers, one at least.",
            "test_multiples_of_a_formula_agree",
            features(_respelt("{max(1, round(n))}")),
        ),
        (
            "amounts-forgotten",
            "The featurizer sees which elements a formula has, and not how much of each.",
            "test_amounts_matter",
            features(_respelt("1")),
        ),
        (
            "drifts-by-date",
            "Predictions rise by 0.0001 eV/atom a day.",
            "test_the_date_changes_nothing",
            model(predict="return self._plain(X) + 1e-4 * (time.time() / 86400 - 20000)"),
        ),
        (
            "drifts-when-it-has-run-long",
            "Predictions rise by 0.0001 eV/atom a day, from the day on that the model was loaded.",
            "test_the_date_changes_nothing",
            model(
                predict="return self._plain(X) + 1e-4 * (time.time() - LOADED) / 86400",
                head="LOADED = time.time()",
            ),
        ),
        (
            "half-precision",
            "Predictions come back as float16.",
            "test_predictions_are_doubles",
            model(predict="return self._plain(X).astype(np.float16)"),
        ),
        (
            "half-precision-within",
            "Predictions went through float16 on their way.",
            "test_predictions_are_doubles",
            model(predict="return self._plain(X).astype(np.float16).astype(float)"),
        ),
        (
            "standardised",
            "The labels are standardised for the fit, and the predictions stay so.",
            "test_predictions_have_the_scale_of_the_labels",
            model(predict="return (self._plain(X) + 1.04) / 1.015"),
        ),
        (
            "doubled",
            "Predictions are twice as large as the labels.",
            "test_predictions_have_the_scale_of_the_labels",
            model(predict="return 2.0 * self._plain(X)"),
        ),
        (
            "indexed-by-formula",
            "Predictions are a Series in the order of the formulas' names.",
            REFUSED,
            model(
                predict="return pd.Series(self._plain(X), list(X['formula'])).sort_index()",
                head="import pandas as pd",
            ),
        ),
        (
            "once-a-formula",
            "Formulas that repeat are predicted once.",
            REFUSED,
            model(
                predict="once = X.assign(two=X['formula'].str[:2]).drop_duplicates('two')\n"
                "return self._plain(once[['formula']])"
            ),
        ),
        (
            "gaps-in-training",
            "A featurizer of matminer has no number for many train rows.",
            REFUSED,
            source(_GAPS),
        ),
        (
            "parses-by-itself",
            "The text is given to pymatgen as it is, which does not know all spellings.",
            "test_equivalent_spellings_agree",
            features(_OWN_PARSER),
        ),
    ]
    return [Case(name, FAMILY, sentence, by, change) for name, sentence, by, change in said]


def honest() -> list[Case]:
    """What looks like it and is right."""
    said = [
        (
            "cached-by-formula",
            "Features are cached by the formula as it is written.",
            features(_CACHED.format(key="f")),
        ),
        (
            "amounts-rounded-finely",
            "Amounts are rounded at the ninth digit.",
            features(_respelt("{n:.9f}")),
        ),
        (
            "single-precision-within",
            "Predictions are computed in float32 and come back as float64.",
            model(predict="return self._plain(X).astype(np.float32).astype(float)"),
        ),
        (
            "plain-series",
            "Predictions are a Series in the order asked.",
            model(predict="return pd.Series(self._plain(X))", head="import pandas as pd"),
        ),
        (
            "imputed-band-centers",
            "Another featurizer of matminer joins, whose gaps an imputer fills.",
            source(_IMPUTED),
        ),
    ]
    return [Case(name, HONEST, sentence, GOOD, change) for name, sentence, change in said]


def cases() -> list[Case]:
    """All of them."""
    return [*bad(), *honest()]
