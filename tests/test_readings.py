"""What can be read in two ways is refused, and what is said of it leads to no other compound."""

import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay import readings
from assay.compositions import identity, is_readable, parse, problem, reduced_formula
from assay.features.parsing import amounts, problems
from assay.misspellings import hint

# text, and the formulas that its hint names, the likeliest first
HINTED = {
    # a full stop behind a letter or a bracket, or one that may be a decimal point
    "NaCl.2H2O": ["NaCl(H2O)2"],
    "KF.2H2O": ["KF(H2O)2"],
    "NaOH.7H2O": ["NaOH(H2O)7"],
    "K4[Fe(CN)6].3H2O": ["K4Fe(CN)6(H2O)3"],
    "(NH4)2[Fe(SO4)2].6H2O": ["(NH4)2Fe(SO4)2(H2O)6"],
    "BaO.6Fe2O3": ["BaO(Fe2O3)6"],
    "Al2O3.2SiO2": ["Al2O3(SiO2)2"],
    "CoCl2.6NH3": ["CoCl2(NH3)6"],
    "CuSO4.5(H2O)": ["CuSO4(H2O)5"],
    "CuSO4.5H20": ["CuSO4(H2O)5"],
    "Zn(NO3)2.6H2O": ["Zn(NO3)2(H2O)6"],
    "CaSO4.0.5H2O": ["CaSO4(H2O)0.5"],
    "Na2CO3.10H2O": ["Na2CO3(H2O)10"],
    "KAl(SO4)2.12H2O": ["KAl(SO4)2(H2O)12"],
    "K2O.Al2O3.6SiO2": ["K2O(Al2O3)(SiO2)6"],
    "Na2O.11Al2O3": ["Na2O(Al2O3)11"],
    "ZnCl2.2KCl": ["ZnCl2(KCl)2"],
    "Na0.3CoO2.1.3H2O": ["Na0.3CoO2(H2O)1.3"],
    "CuSO4.H2O": ["CuSO4(H2O)"],
    "CuSO4.(H2O)5": ["CuSO4(H2O)5"],
    "CsPbI2.4BrCl": ["CsPbI2(BrCl)4", "CsPbI2.400BrCl"],
    "Mg.5Ca.5O": ["Mg0.5Ca0.5O"],
    "(La.7Sr.3)MnO3": ["(La0.7Sr0.3)MnO3"],
    "YBa2Cu3O.9": ["YBa2Cu3O0.9"],
    # other dots, and none
    "CuSO4\u00b75H2O": ["CuSO4(H2O)5"],
    "CuSO4 \u00b7 5 H2O": ["CuSO4(H2O)5"],
    "CuSO4\u20225H2O": ["CuSO4(H2O)5"],
    "CuSO4\u22c55H2O": ["CuSO4(H2O)5"],
    "CuSO4*5H2O": ["CuSO4(H2O)5"],
    "CuSO4 x 5H2O": ["CuSO4(H2O)5"],
    "CuSO4x5H2O": ["CuSO4(H2O)5"],
    "CuSO4 5H2O": ["CuSO4(H2O)5"],
    "CuSO4 5 H2O": ["CuSO4(H2O)5"],
    "CuSO4-5H2O": ["CuSO4(H2O)5"],
    "CuSO4[\u00b75H2O]": ["CuSO4(H2O)5"],
    "CuSO4(5H2O)": ["CuSO4(H2O)5"],
    "CaSO4\u00b7\u00bdH2O": ["CaSO4(H2O)0.5"],
    "CdSO4\u00b78/3H2O": ["(CdSO4)3(H2O)8"],
    "3CaO\u00b7SiO2": ["(CaO)3SiO2"],
    "0.9PbTiO3-0.1BiFeO3": ["(PbTiO3)0.9(BiFeO3)0.1"],
    "2NaCl": ["NaCl"],
    # charges
    "NO3-": ["NO3"],
    "NH4+": ["NH4"],
    "PO43-": ["PO4"],
    "Cr2O72-": ["Cr2O7"],
    "CO32-": ["CO3"],
    "Fe3+": ["Fe"],
    "fe3+": ["Fe"],
    "no3-": ["NO3"],
    "Hg22+": ["Hg2"],
    "SO4^2-": ["SO4"],
    "SO4(2-)": ["SO4"],
    "[Fe(CN)6]4-": ["[Fe(CN)6]"],
    "VO2+": ["VO2", "VO"],
    "NH3+": ["NH3"],
    "CuSO4.5D2O": ["CuSO4(H2O)5"],
    "PO\u2084\u00b3\u207b": ["PO4"],
    # case
    "caco3": ["CaCO3", "CaCo3"],
    "Caco3": ["CaCO3", "CaCo3"],
    "kno3": ["KNO3"],
    "sio2": ["SiO2"],
    "co": ["CO", "Co"],
    "tin": ["Sn"],
    "TIO2": ["TiO2"],
    "BATIO3": ["BaTiO3"],
    "Sr4V2.7TI0.3O9.51": ["Sr4V2.7Ti0.3O9.51"],
    "cuso4.5h2o": ["CuSO4(H2O)5"],
    # all in capitals
    "SIO2": ["SiO2", "S1I1O2"],
    "CUINS2": ["CuInS2", "C1U1I1N1S2"],
    "SNO2": ["SnO2", "S1N1O2"],
    "PBS": ["PbS", "P1B1S1"],
    "NBN": ["NbN", "N1B1N1"],
    "INP": ["InP", "I1N1P1"],
    "SIC": ["SiC", "S1I1C1"],
    "OS": ["Os", "O1S1"],
    "CSI": ["CsI", "C1S1I1"],
    "CO(NO3)2": ["Co(NO3)2", "C1O1(N1O3)2"],
    # markup and the looks of letters
    "La$_2$CuO$_4$": ["La2CuO4"],
    "La_2CuO_4": ["La2CuO4"],
    "La$_{2}$CuO$_{4}$": ["La2CuO4"],
    "\\ce{H2O}": ["H2O"],
    "CuSO4$\\cdot$5H2O": ["CuSO4(H2O)5"],
    "CuSO<sub>4</sub>&middot;5H<sub>2</sub>O": ["CuSO4(H2O)5"],
    "SO<sub>4</sub><sup>2-</sup>": ["SO4"],
    "\u0421O2": ["CO2"],
    "\ufeffNaCl": ["NaCl"],
    "Na\u00a0Cl": ["NaCl"],
    "La0,7Sr0,3MnO3": ["La0.7Sr0.3MnO3"],
    # zero for the letter O
    "H20": ["H2O"],
    "Fe203": ["Fe2O3"],
    "Si02": ["SiO2"],
    "Al2(S04)3": ["Al2(SO4)3"],
    "MgAl204": ["MgAl2O4"],
    "Ca0": ["CaO"],
    # comments, phases, oxidation states, spaces
    "H2O (ice)": ["H2O"],
    "TiO2 rutile": ["TiO2"],
    "CaCO3 (calcite)": ["CaCO3"],
    "Fe2O3*": ["Fe2O3"],
    "\u03b1-Al2O3": ["Al2O3"],
    "h-BN": ["BN"],
    "Cu(I)2O": ["Cu2O", "Cu1I2O1"],
    "Fe(III)2O3": ["Fe2O3"],
    "TiO2(B)": ["TiO2", "TiO2B"],
    "Y Ba 2 Cu 3 O 7": ["YBa2Cu3O7"],
    "Ca (OH)2": ["Ca(OH)2"],
    "Na 2SO4": ["Na2SO4"],
    "D2O": ["H2O"],
}

TOLD = {
    "YBa2Cu3O7-d": "give the oxygen content as a number",
    "YBa2Cu3O7-\u03b4": "give the oxygen content as a number",
    "YBa2Cu3O7-delta": "give the oxygen content as a number",
    "YBa$_2$Cu$_3$O$_{7-\\delta}$": "give the oxygen content as a number",
    "YBa2Cu3O6+x": "give the oxygen content as a number",
    "Ba1-xKxFe2As2": "give x as a number",
    "La1\u2212xSrxMnO3": "give x as a number",
    "LixCoO2": "give x as a number",
    "CuSO4\u00b7nH2O": "give n as a number",
    "CHxOy": "give x and y as numbers",
    "(1-x)BaTiO3-xCaTiO3": "give x as a number",
    "Al2O3:Cr": "give the dopant's amount",
    "Al2O3:Cr3+": "give the dopant's amount",
    "ZnS:Mn,Cu": "give the dopant's amount",
    "SrAl2O4/Eu": "give the dopant's amount",
    "Eu2+-doped SrAl2O4": "give the dopant's amount",
    "SS304": "trade name",
    "Y123": "trade name",
    "Tl2212": "trade name",
    "Ti64": "trade name",
    "YBCO": "name of a material",
    "TRUE": "truth value",
    "False": "truth value",
    "\u0421O2": "U+0421",
    "N\u0430Cl": "U+0430",
    "\u039fs": "U+039F",
    "NaCl\u200b": "U+200B",
    "Na\u00a0Cl": "U+00A0",
    "\ufeffNaCl": "U+FEFF",
}

# what stands beside all this, and is a composition
READABLE = (
    *("S8", "P4", "C60", "C70", "O2", "Fe", "Fe2", "Si8", "H2"),
    *("YBa2Cu3O6.9", "Bi2Sr2CaCu2O8.2", "La1.85Sr0.15CuO4", "Sr4V2.7Ti0.3O9.51", "BaFe1.8Co0.2As2"),
    *("Li1.3Al0.3Ti1.7P3O12", "Na1.5Al0.5Ge1.5(PO4)3", "LaO1.5F0.5BiS2", "La1Bi1S1.6Se0.4F0.5O0.5"),
    *("Zr41.2Ti13.8Cu12.5Ni10Be22.5", "Fe73.5Si13.5B9Nb3Cu1", "La2Mo1.9O9", "CsPbI2.5Br0.5"),
    *("CO", "CO2", "NO", "NO2", "HF", "HCN", "CN", "COS", "COF2", "BN", "KI", "CS2", "BI3", "HO"),
    *("KNO3", "K2CO3", "H2SO4", "CH3COOH", "CO(NH2)2", "KSCN", "W(CO)6", "KB(HO)6", "SN", "CSNO3"),
    *("CuSO4(H2O)5", "Ca(OH)2", "K4Fe(CN)6", "(NH4)2SO4", "[Co(NH3)6]Cl3", "Fe1000Ni", "S1I1O2"),
    *("CoCO3", "NaN", "Pb(I1)2", "Cl2.600NH3"),
)
PIECES = (
    *("Li", "O", "C", "S", "I", "N", "H", "Co", "Cl2", "NO3", "H2O", "NH3", "SiO2", "x", "o", "Xx"),
    *(
        "(",
        ")",
        "[",
        "]",
        ".",
        "\u00b7",
        "*",
        " ",
        "-",
        "+",
        ":",
        "/",
        ",",
        "_",
        "$",
        "^",
        "(s)",
        "(I)",
    ),
    *(
        "0",
        "1",
        "2",
        "5",
        "12",
        "204",
        "6.9",
        "0.5",
        "\u0421",
        "\u2082",
        "\u00b2\u207b",
        "\u03b4",
        "1/0",
        "\u0663",
    ),
    # what looks like another formula
    *("CO", "SI", "C1", "C12", "CI", "II", "IV", "No4", "Ti6", "Al4V", "0.504", "306.9", "(CO2)2"),
    *("Si", "C6", "H218", "BB", "SN", "B2.2", "C60.4", "OPCl3"),
)
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(max_size=12),
    st.sampled_from([*HINTED, *TOLD, *READABLE]),
)


def named(sentence: str) -> list[str]:
    """The formulas that a hint names."""
    clauses = "write|did you mean|take out the spaces:|leave (?:charges|the phase|the comment) out:"
    found = re.search(rf"; (?:{clauses}) ([^;?]+)\??\Z", sentence)
    return found[1].split(", or ") if found else []


@pytest.mark.parametrize("text", HINTED)
def test_hint_is_what_was_meant(text: str) -> None:
    """Text that is refused is hinted at with formulas of what was meant, the likeliest first."""
    assert named(str(problem(text))) == HINTED[text]
    assert [problem(formula) for formula in HINTED[text]] == [None] * len(HINTED[text])


@pytest.mark.parametrize("text", TOLD)
def test_what_no_formula_can_say_is_asked_for(text: str) -> None:
    """Variables and dopants are asked for as numbers, and letters named by code point."""
    assert TOLD[text] in str(problem(text))


@pytest.mark.parametrize("text", [text for text in TOLD if "U+" not in TOLD[text]])
def test_no_formula_is_hinted_where_a_number_is_missing(text: str) -> None:
    """Leaving the variable or the dopant out would be another compound."""
    assert named(str(problem(text))) == []


@pytest.mark.parametrize("text", READABLE)
def test_neighbours_are_read(text: str) -> None:
    """What can be read in one way is not refused for what it looks like."""
    assert problem(text) is None
    assert problems([text]) == [None]


@settings(max_examples=500)
@given(texts)
@example("Na2.5.1")
@example("CaSO4.0.5H2O")
@example("()")
@example("Li(OH)\u0663")
@example("NaCl-4/0H2O")
def test_both_readers_agree_on_every_text(text: str) -> None:
    """One by one or as a column: the same sentence, or the same amounts."""
    sentence = problem(text)
    assert problems([text]) == [sentence]
    assert is_readable(text) is (sentence is None)
    if sentence is None:
        found = amounts([text])
        read = sorted((element.Z, float(n)) for element, n in parse(text).items())
        assert list(zip(found.numbers.tolist(), found.amounts.tolist(), strict=True)) == read
        assert identity(reduced_formula(text)) == identity(text)
    else:
        with pytest.raises(ValueError, match=r"\S") as caught:
            parse(text)
        assert str(caught.value) == sentence


@settings(max_examples=500)
@given(texts)
def test_every_hint_is_readable(text: str) -> None:
    """What a hint names can be read, and internals stay inside."""
    sentence = str(problem(text))
    for formula in named(sentence.rpartition("; ")[1] + sentence.rpartition("; ")[2]):
        assert problem(formula) is None
        assert problems([formula]) == [None]
    for internal in ("could not convert", "float", "invalid formula", "Traceback", "not a valid"):
        assert internal not in sentence.replace(repr(text), "")


@given(st.sampled_from(sorted(HINTED)))
def test_hints_of_hints_are_none(text: str) -> None:
    """A formula that a hint names is left as it is."""
    for formula in HINTED[text]:
        assert identity(reduced_formula(formula)) == identity(formula)
        assert is_readable(formula)


def test_planted_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of readers sees one that looks less closely at full stops."""
    monkeypatch.setattr(sys.modules["assay.features.parsing"], "_COUNT", re.compile(b"never"))
    assert problems(["ZnCl2.2KBr"]) != [problem("ZnCl2.2KBr")]


def test_planted_hint_is_dropped() -> None:
    """A hint that cannot be read is none, whatever way it comes from."""
    assert "NaCl(H2O)2" in hint("NaCl.2H2O", is_readable)
    assert hint("NaCl.2H2O", lambda _: False) == ""


def test_long_text_is_refused_at_once() -> None:
    """Cells that are no formulas cost no time, however long they are."""
    for text in ("ab" * 100, "(" * 200, "1-x" * 60, "Co" * 99 + "\u0421"):
        assert problem(text)


def test_suspicion_finds_every_doubt() -> None:
    """No text is in doubt that the quick look of whole columns would take for certain."""
    for text in [*HINTED, *READABLE, "CuSO4.5H2O", "YBCO", "BFO"]:
        if readings._SYMBOL.match(text) and text.isascii() and text.isalnum():
            quick = readings.is_suspect(text) or readings.is_capital(text)
            assert quick or readings.doubt(text) is None
