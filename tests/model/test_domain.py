"""The domain: what lies outside and why, the same for a row whatever stands around it."""

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from assay.compositions import chemical_system, elements
from assay.errors import NotCarriedOutError
from assay.features.parsing import amounts
from assay.model.domain import Domain, DomainRecord, fit_domain
from assay.records import read_record
from assay.splits import grouped_folds
from toy import domain_of, pool_formulas, trained_formulas

SALTS = ["NaCl", "KCl", "NaBr", "KBr", "Na2O", "K2O", "NaClO3", "KClO3", "NaBrO3", "RbCl"]


@pytest.fixture(scope="module")
def shipped() -> Domain:
    """The domain of the shipped train set."""
    formulas = trained_formulas()
    folds = grouped_folds([chemical_system(formula) for formula in formulas], 5, 0)
    return Domain.of(fit_domain(formulas, folds))


def reason(domain: Domain, formula: str) -> str:
    """Why one formula lies outside."""
    (found,) = domain.reasons(amounts([formula]))
    return found


def salts(**changes: float) -> Domain:
    """The domain of some salts, with a bound that is beyond everything unless set."""
    return Domain.of(domain_of(SALTS).model_copy(update={"bound": 1e9} | changes))


def test_training_rows_lie_inside(shipped):
    """No row that was trained on is called strange, and each is its own nearest row."""
    formulas = trained_formulas()
    assert not any(shipped.reasons(amounts(formulas)))
    distances = shipped.strangeness(amounts(formulas)).distances
    assert distances == pytest.approx(0, abs=1e-12)


def test_unseen_elements_are_named():
    """All of them, sorted, and no pair that follows from them."""
    assert reason(salts(), "NaCl") == ""
    assert reason(salts(), "XeF6") == "no training row holds F, Xe"
    assert reason(salts(), "NaXeO3") == "no training row holds Xe"


def test_pairs_count_in_compounds_of_three_elements_and_more():
    """RbBr is a new system like any other; in RbNaClBr two pairs stand beside known ones."""
    domain = salts()
    assert reason(domain, "RbBr") == ""
    assert reason(domain, "RbClO3") == "no training row holds both O and Rb"
    assert reason(domain, "NaKCl2") == "no training row holds both Na and K"
    told = reason(domain, "NaRbBrCl")
    assert told == "no training row holds both Na and Rb, or both Cl and Br, or both Br and Rb"


def test_many_pairs_are_counted_instead_of_listed():
    """Three are named, the rest are a number, which is never one."""
    pairs = ["HC", "HN", "HO", "CF", "NF", "OF", "Li2S"]
    domain = Domain.of(domain_of(pairs).model_copy(update={"bound": 1e9}))
    assert reason(domain, "CNO") == (
        "no training row holds both C and N, or both C and O, or both N and O"
    )
    assert reason(domain, "HCNOF").endswith("or both H and F") is False
    assert reason(domain, "HCNOF").count("both") == 4
    assert reason(domain, "HCNOFLi").endswith(", or 6 more such pairs")


def test_far_rows_name_the_nearest_row_and_both_distances():
    """The sentence holds what it takes to judge it: which row, how far, and what is usual."""
    domain = salts(bound=0.5)
    found = domain.strangeness(amounts(["Rb2O"]))
    name = SALTS[sorted(range(len(SALTS)), key=SALTS.__getitem__)[found.nearest[0]]]
    assert reason(domain, "Rb2O") == (
        f"the nearest training row, {name}, is {found.distances[0]:.2f} away; "
        "95% of known rows have one within 0.50"
    )
    assert reason(salts(bound=found.distances[0]), "Rb2O") == ""
    assert reason(salts(bound=np.nextafter(found.distances[0], 0)), "Rb2O") != ""


def test_reasons_stand_together():
    """A row that is strange in every way says so."""
    parts = reason(salts(bound=0.1), "NaRbBrXe").split("; ")
    assert parts[0] == "no training row holds Xe"
    assert parts[1].startswith("no training row holds both Na and Rb")
    assert parts[2].startswith("the nearest training row, ")


@given(st.lists(st.sampled_from(pool_formulas()), min_size=1, max_size=300), st.integers(0, 299))
@effort(deadline=None, max_examples=25)
def test_no_row_depends_on_its_neighbours(shipped, formulas, place):
    """A formula alone has the very reason and distance that it has in a list: shards agree."""
    formula = formulas[place % len(formulas)]
    content, alone = amounts(formulas), amounts([formula])
    reasons, strange = shipped.judge(content)
    row = place % len(formulas)
    assert (reasons[row], strange.distances[row]) == (
        shipped.reasons(alone)[0],
        shipped.strangeness(alone).distances[0],
    )


def test_reasons_are_those_of_a_plain_loop(shipped):
    """Row by row and pair by pair, with sets and one distance at a time, nothing else comes out."""
    formulas = [*pool_formulas()[:400], *trained_formulas()[:50]]
    held = [elements(formula) for formula in trained_formulas()]
    content = amounts(formulas)
    points = _places(shipped, formulas)
    found = shipped.strangeness(content)
    for row, (formula, told) in enumerate(zip(formulas, shipped.reasons(content), strict=True)):
        own = sorted(elements(formula))
        pairs = {(a, b) for a in own for b in own if a < b and not any({a, b} <= r for r in held)}
        distance = np.sqrt(((shipped.references - points[row]) ** 2).sum(axis=1)).min()
        assert found.distances[row] == pytest.approx(distance, rel=1e-9, abs=1e-12)
        unseen = [element for element in own if not any(element in r for r in held)]
        pairs = {pair for pair in pairs if not set(pair) & set(unseen)}
        new = bool(pairs) and len(own) >= 3
        assert bool(told) == (bool(unseen) or new or distance > shipped.bound), formula
        assert told.startswith(f"no training row holds {', '.join(unseen)}") or not unseen
        assert ("both" in told) == new


def _places(domain: Domain, formulas: list[str]) -> np.ndarray:
    content = amounts(formulas)
    places = np.zeros((len(formulas), domain.space.shape[1]))
    for row, number, share in zip(content.rows, content.numbers, content.fractions, strict=True):
        places[row] += share * domain.space[number]
    return places


def test_empty_column_has_no_reasons(shipped):
    """Nothing asked, nothing said."""
    assert shipped.reasons(amounts([])) == []


def test_elements_without_properties_have_a_place(shipped):
    """Where matminer's table has gaps there is a finite distance and a reason, never NaN."""
    content = amounts(["He", "XeF2", "Og", "NpO2", "PuO2"])
    assert np.isfinite(shipped.strangeness(content).distances).all()
    assert all(shipped.reasons(amounts(["He", "Og"])))


def test_domain_is_asked_for_whole_columns_at_a_few_microseconds_a_row(shipped):
    """On a loaded machine it takes well under 15 microseconds a row; one by one it takes 100."""
    formulas = pool_formulas() * 3
    content = amounts(formulas)
    times = []
    for _ in range(3):
        start = time.process_time()
        shipped.reasons(content)
        times.append(time.process_time() - start)
    assert min(times) / len(formulas) < 15e-6


def test_record_refuses_what_is_no_domain(tmp_path):
    """A bundle whose domain lacks an element, or has coordinates of two kinds, is not loaded."""
    path = tmp_path / "domain.json"
    domain_of(SALTS).write(path)
    whole = json.loads(path.read_text())
    assert reason(Domain.of(read_record(DomainRecord, path)), "NaCl") == ""
    for key, change in (
        ("elements", {"Na": [1.0]}),
        ("elements", whole["elements"] | {"Na": [1.0]}),
        ("partners", {"Na": ["Cl"]}),
        ("partners", {"Qq": []}),
        ("references", []),
    ):
        path.write_text(json.dumps(whole | {key: change}))
        with pytest.raises(NotCarriedOutError, match=r"domain\.json is not a DomainRecord"):
            read_record(DomainRecord, path)
