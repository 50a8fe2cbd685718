"""A formula that is nearly always a slip for another one is refused, and both are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import slips
from assay.compositions import identity, is_readable, parse, problem, reduced_formula
from assay.features.parsing import problems
from assay.readings import certain, doubt

# what is refused, and what is likelier to be meant
MEANT = {
    # a small letter that is a capital
    "SmCO5": "SmCo5",
    "LaNI5": "LaNi5",
    "NiCO2O4": "NiCo2O4",
    "LiCOO2": "LiCoO2",
    "CaCU5": "CaCu5",
    "BaSI2": "BaSi2",
    "Mg2SI": "Mg2Si",
    "Nb3SN": "Nb3Sn",
    "LiNBO3": "LiNbO3",
    "InSB": "InSb",
    "BaHFO3": "BaHfO3",
    "CsPBI3": "CsPbI3",
    "Cu2ZnSNS4": "Cu2ZnSnS4",
    "PbSNO3": "PbSnO3",
    # a capital that is a small letter
    "KNo3": "KNO3",
    "LiFePo4": "LiFePO4",
    # I or 1 for l
    "NaCI": "NaCl",
    "CaCI2": "CaCl2",
    "FeCI3": "FeCl3",
    "CCI4": "CCl4",
    "NaC1": "NaCl",
    "ZnC12": "ZnCl2",
    "SiC14": "SiCl4",
    "NH4C1": "NH4Cl",
    "Pb(C1O4)2": "Pb(ClO4)2",
    "KC104": "KClO4",
    # zero for the letter O beside a decimal point
    "YBa2Cu306.9": "YBa2Cu3O6.9",
    "LiNi0.8Co0.202": "LiNi0.8Co0.2O2",
    "LiMn1.5Ni0.504": "LiMn1.5Ni0.5O4",
    "Sr2Fe1.5Mo0.506": "Sr2Fe1.5Mo0.5O6",
    # numerals and mass numbers without brackets
    "FeIII2O3": "Fe2O3",
    "CuICl": "CuCl",
    "CuI2O": "Cu2O",
    "SnIVO2": "SnO2",
    "U235O2": "UO2",
    "H218O": "H2O",
    "SiC4H": "SiC",
}
ADDED = {
    "CuSO₄5H₂O": "CuSO4(H2O)5",
    "FeCl₃6H₂O": "FeCl3(H2O)6",
    "Na₂CO₃10H₂O": "Na2CO3(H2O)10",
    "CuSO4_5H2O": "CuSO4(H2O)5",
    "NaCl_2H2O": "NaCl(H2O)2",
    "CuSO4.5OH2": "CuSO4(OH2)5",
    "TiCl4.2OPCl3": "TiCl4(OPCl3)2",
    "C60.4C6H6": "C60(C6H6)4",
    "C60.2CS2": "C60(C1S2)2",
    "S8.2CS2": "S8(CS2)2",
    "Zn3P2.2ZnS": "Zn3P2(ZnS)2",
    "Al4C3.3Al2O3": "Al4C3(Al2O3)3",
    "MgB2.2MgO": "MgB2(MgO)2",
    "MoSi2.5Al2O3": "MoSi2(Al2O3)5",
    "Na2O2.25Al2O3": "Na2O2(Al2O3)25",
}
NAMES = ("Ti6Al4V", "Ti6Al7Nb", "Fe18Cr8Ni", "WC10Co", "BBO", "KBBF", "HBN", "CBN", "UNKNOWN")
# text with a hint that leads to the compound meant
HINTED = {
    "T1Br": "TlBr",
    "A1N": "AlN",
    "ND3": "NH3",
    "CD4": "CH4",
    "bccFe": "Fe",
    "SCN-": "S1C1N1",
    "NaClᵃ": "NaCl",
    "H2W12O4210-": "H2W12O42",
    "(NH4)2S04": "(NH4)2SO4",
    "TiO2 I": "leave the comment out: TiO2",
    "H2O VII": "leave the comment out: H2O",
    "Ca II": "leave the comment out: Ca",
    "Cs I": "take out the spaces: CsI",
    "Ba Ti O3": "take out the spaces: BaTiO3",
}
# text that stands for a compound that no hint can be sure of
UNHINTED = (
    *("B2 NiAl", "NiAl B2", "Al2O3 C", "NaCl KCl", "3D C", "LiI.3THF", "CuI.PPh3", "CuSO4·aq"),
    *("NMC811", "ITO", "inf", "INFINITY", "N.A.", "TBD", "UNKNOWN"),
)
# honest formulas beside all this
READ = (
    *("YBa2Cu3O6.9", "La1.85Sr0.15CuO4", "Nb3Sn", "MgB2", "Fe0.62C0.0009", "LiNi0.8Co0.2O2"),
    *("CaCO3", "Cu2CO3(OH)2", "NaHCO3", "KCO3", "Ni(CO)4", "Co2(CO)8", "NaCO2", "Ca(CO2)2"),
    *("CuSCN", "Hg(SCN)2", "COCl2", "COBr2", "CoCl2", "CH3COOH", "NaCOOH", "KHF2", "Ca(HO)2"),
    *("BiSI", "Nb3SI7", "ZrIN", "Zr2SN2", "Ag4SI", "YBRh3", "UC", "CaU5C", "TiNCl", "VOOH"),
    *("CI4", "CF3I", "Gd2CI2", "LiC12", "KC8", "TiC1", "W1C1", "Nd2Fe14C1", "C12H22O11"),
    *("HgIBr", "CsPbIBr2", "CsVI3", "BiOI", "CsI", "CsPbI2Br", "NbVO5", "KIO3", "CuI"),
    *("Fe0.698Ni0.302", "Cr0.099V0.901", "Mg1B1.896C0.104", "Au0.499Ga0.501", "Fe1000Ni"),
    *("PoO2", "CfCl3", "Np2O5", "Li2Po", "HNCO", "HCOOH", "KOCN", "Ti3Al", "Ti2AlNb", "Al7Cu2Fe"),
    *("BiS1.6Se0.4O0.5", "Fe78Si9.5B12.5", "LaFe11.5Si1.5", "Ca₅P₃O₁₃H", "YBa₂Cu₃O₆.₉"),
)


def named(text: str) -> list[str]:
    """The formulas in a hint, behind its last clause."""
    hint = str(problem(text)).rpartition("; ")[2].removesuffix("?")
    return hint.removeprefix("did you mean ").removeprefix("write ").split(", or ")


@pytest.mark.parametrize("text", MEANT)
def test_slips_are_refused_and_both_readings_named(text: str) -> None:
    """The likelier compound is named first, and then the text itself with all amounts."""
    assert problems([text]) == [problem(text)]
    likelier, itself = named(text)
    assert likelier == MEANT[text]
    assert problem(likelier) is None
    assert problem(itself) is None
    assert parse(itself) != parse(likelier)


@pytest.mark.parametrize("text", ADDED)
def test_what_was_added_is_not_part_of_an_amount(text: str) -> None:
    """Water and other compounds behind a lost dot, or one that seems a decimal point."""
    assert problems([text]) == [problem(text)]
    assert named(text)[0] == ADDED[text]
    assert problem(ADDED[text]) is None


@pytest.mark.parametrize("text", HINTED)
def test_hints_lead_to_what_was_meant(text: str) -> None:
    """Numbers of phases, footnotes, isotopes and letters for digits become no elements."""
    hint = str(problem(text)).rpartition("; ")[2]
    assert HINTED[text] in {hint, named(text)[0], hint.rpartition(": ")[2]}
    assert is_readable(HINTED[text].rpartition(": ")[2])


@pytest.mark.parametrize("text", UNHINTED)
def test_no_hint_is_better_than_another_compound(text: str) -> None:
    """Where it is not certain what was meant, no formula is named."""
    clauses = str(problem(text)).partition("; ")[2]
    assert not clauses or "missing value" in clauses


@pytest.mark.parametrize("text", NAMES)
def test_names_are_no_atoms(text: str) -> None:
    """Alloys by weight, acronyms and words are refused, however the letters could be read."""
    assert problem(text) is not None
    assert problems([text]) == [problem(text)]


@pytest.mark.parametrize("text", READ)
def test_honest_formulas_are_read(text: str) -> None:
    """What is certainly one compound is read, and so is its canonical spelling."""
    assert problem(text) is None
    assert problems([text]) == [None]
    assert identity(reduced_formula(text)) == identity(text)


@given(st.sampled_from([*MEANT, *filter(str.isascii, READ), "Ti6Al4V", "KBBF", "TiNI"]))
def test_text_with_all_amounts_is_certain(text: str) -> None:
    """There is a way to say that the letters are meant as they stand."""
    assert doubt(certain(text)) is None
    assert is_readable(certain(text))


def test_planted_reader_without_slips_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases above are refused for what they look like alone."""
    monkeypatch.setattr(slips, "_kinds", lambda: iter(()))
    slips._found.cache_clear()
    doubt.cache_clear()
    read = [text for text in MEANT if doubt(text) is None]
    slips._found.cache_clear()
    doubt.cache_clear()
    assert read == list(MEANT)


# compounds that are known, of symbols that are two elements otherwise
KNOWN = """
LaCuOS BiCuOS ZrOS HfOS ThOS CeOS TiOSO4 COS KSCN NaSCN AgSCN CuSCN KOCN CuCN AgCN LiCN HCN NaHS
FeOCl BiOCl BiOI LaOF YOF SbSI BiSI PbFCl LiPF6 NaBF4 LiCoO2 LiNi0.8Co0.1Mn0.1O2 LiFePO4 LiCoPO4
VOPO4 LiVPO4F UO2F2 POCl3 PSCl3 NOCl SOCl2 SO2Cl2 CSCl2 COCl2 COF2 HNO3 HI HF KNO2 NaNO3 CsNO3 BN
AlN InN ScN TiN YN UN SiC TiC WC NiC CO NO HfO2 CeO2 InSb GaSb AlSb CoSb3 FeSb2 CoAs CoP NiP CoS
CoSi NiSi CoSn NiSn HoN HoSb CoNi NiFe PtCo PdCo CoPt3 Co3O4 SmCo5 Sm2Co17 LaNi5 CaCu5 CoTi NiTi
CoHf HfCo NbCo2 NbCoSb HfNiSn TiCoSb VFeSb PbI2 SnI2 CuI InI KI CsI HfI4 BI3 PI3 TiI4 SiI4 CI4 NI3
CoI2 NiI2 CoCO3 NiCO3 PbCO3 NaHCO3 CoSO4 PbSO4 CoWO4 NiWO4 CoTiO3 CoFe2O4 BaCoO3 InCoO3 Ca3Co4O9
NaCoO2 BaFe2As2 LaFeAsO LaFePO LaNiPO FeSe0.5Te0.5 YNi2B2C MgCNi3 PdCoO2 CuAlO2 CsV3Sb5 NbSe2
HfTe5 PbBi2Te4 CoNb3S6 HfN HfC NbC NbN VC VN VB2 YB6 UB2 NiAs PdSb OsSi OsB2 CoB NiB MoB WB CsSi
CsPbI3 CsSnI3 YBa2Cu3O6.9 La1.85Sr0.15CuO4 Nb3Sn
"""


@pytest.mark.parametrize("formula", KNOWN.split())
def test_known_compounds_are_read(formula):
    """No rule against slips takes a compound that people know for another."""
    assert problem(formula) is None
