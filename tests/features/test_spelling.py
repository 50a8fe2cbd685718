"""Spelling and identity of columns: those of `compositions`, row by row, to the letter."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.compositions import identity, parse, problem, reduced_formula
from assay.features.parsing import amounts, readable
from assay.features.spelling import groups, reduced
from assay.sanity.strategies import compositions, formulas, hydroxides, spelt

DATA = Path(__file__).parents[2] / "<<cookiecutter.project>>" / "data"
SYMBOLS = ["Li", "O", "Na", "Cl", "Fe", "H", "C", "N", "He", "Si"]
# brackets, decimals, specials of pymatgen, amounts that are whole but for rounding, doubtful drafts
WRITTEN = [
    *("Fe 2 O3", "O2Li4", "Li2O2", "LiO", "Ca(OH)2", "Ca0.5Mg0.5O", "Mg2Ca2O4", "K4Fe(CN)6(H2O)3"),
    *("Li0.9999999999O", "La0.333333333333O", "Ba0.00001Fe", "Cl2.6Na", "S1I1O2", "Si1O2", "O"),
    *("Fe3", "H\u2082O"),
    *("(NH4)2SO4", "Sr4V2.7Ti0.3O9.51", "Li2SO4(H2O)0.5", "Fe0.4O0.6", "Fe2O3", "C60"),
]  # fmt: skip


def compared(texts):
    """Spelling and group of each text that can be read, of the column and row by row."""
    content, _ = readable(texts)
    found, wanted = reduced(content), [reduced_formula(text) for text in content]
    assert list(found) == wanted
    assert readable(list(found))[1] == [None] * len(found)
    names = pd.factorize(pd.Series(map(identity, wanted), dtype=object))[0]
    assert groups(found).tolist() == names.tolist()
    return len(content)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            formulas(SYMBOLS),
            compositions(SYMBOLS).map(spelt),
            hydroxides(SYMBOLS).map(lambda pair: pair[0]),
            st.sampled_from(WRITTEN),
        ),
        max_size=8,
    )
)
@example(WRITTEN)
@example([])
def test_a_column_is_spelt_and_grouped_as_its_rows(texts):
    """Whatever the column, each row has the spelling and the group that it has alone."""
    compared(texts)


@pytest.mark.parametrize("name", ["train.csv", "candidates/transport.csv"])
def test_the_shipped_formulas(name):
    """All formulas of the example, as they are and at a third and seven times of their amounts."""
    texts = list(pd.read_csv(DATA / name, dtype=str, keep_default_na=False)["formula"])[::4]
    shares = [scaled(text, factor) for text in texts[::4] for factor in (1 / 3, 7)]
    shares = [text for text in shares if problem(text) is None]
    assert compared([*texts, *shares]) > len(texts)


def scaled(text, factor):
    """A formula with all its amounts times a factor."""
    pairs = parse(text).items()
    return "".join(f"{element.symbol}{float(n) * factor:.12g}" for element, n in pairs)


def test_other_compositions_are_other_groups():
    """A third that is rounded is another composition, and the first of each counts."""
    texts = ["Fe2O3", "Li0.3333O", "Fe4O6", "LiO3", "Fe0.4O0.6", "Li0.3333333333333333O"]
    assert groups(amounts(texts)).tolist() == [0, 1, 0, 2, 0, 2]
