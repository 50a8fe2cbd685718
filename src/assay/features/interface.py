"""The version of what formulas and features mean, and the compositions that show it.

Models are certified with the features that they were trained on. `INTERFACE` is raised when, and
only when, a feature's value or the meaning of `formula` changes: a model that was certified before
is refused then. Any other change of assay leaves it alone. `tests/features/golden_features.json`
holds the values of this version.
"""

INTERFACE = 2

# Each element in each of its common oxidation states, so that no number of a table changes unseen.
BINARY = """
LiH H2O Li2O BeO B2O3 Li4C Li3C Li2C LiC C2O C2O3 Li3N N2O3 N2O5 LiF Na2O MgO Al2O3 Li4Si Li3P
P2O3 P2O5 Li2S SO SO2 SO3 LiCl Cl2O Cl2O3 Cl2O5 Cl2O7 K2O CaO Sc2O3 TiO2 V2O5 Cr2O3 CrO3 MnO
MnO2 Mn2O7 FeO CoO Co2O3 NiO CuO ZnO Ga2O3 Li4Ge GeO GeO2 Li3As As2O3 As2O5 Li2Se SeO SeO2 SeO3
LiBr Br2O Br2O3 Br2O5 KrO Rb2O SrO Y2O3 Nb2O5 MoO2 MoO3 TcO2 Tc2O7 Ru2O3 RuO2 Rh2O3 PdO PdO2
Ag2O CdO In2O3 Li4Sn SnO SnO2 Li3Sb Sb2O3 Sb2O5 Li2Te TeO TeO2 TeO3 LiI I2O I2O3 I2O5 I2O7 XeO
XeO2 XeO3 Cs2O BaO La2O3 Ce2O3 CeO2 Pr2O3 Nd2O3 Pm2O3 Sm2O3 EuO Eu2O3 Gd2O3 Tb2O3 Dy2O3 Ho2O3
Er2O3 Tm2O3 Yb2O3 HfO2 Ta2O5 WO2 WO3 ReO2 Re2O7 OsO2 Ir2O3 IrO2 PtO PtO2 Au2O3 Hg2O HgO Tl2O
Tl2O3 PbO PbO2 Bi2O3 Li2Po PoO PoO2 RaO Ac2O3 ThO2 Pa2O5 UO3 Np2O5 Am2O3 Cm2O3
"""

# Every featurizer and every way of reading a formula; a bundle keeps its own copy of the list.
GOLDEN = (
    # plainly spelt
    *("NaCl", "Fe2O3", "SiO2", "LiFePO4", "BaTiO3", "CsPbI3", "GaAs", "Cu2ZnSnS4", "ZrO2", "MgB2"),
    *("YBa2Cu3O7", "Nd2Fe14B", "Ca5P3O13H", "C60", "UO2", "PuO2", "GdCl3", "Lu2O3", "AuCu3", "WC"),
    # elements alone, pairs of which both are the most frequent, and many elements at once
    *("Fe", "O2", "Cs", "NaK", "FeCo", "CoCrFeMnNi", "AlCoCrCuFeNi", "AlCoCrCuFeNiTi"),
    # decimals, small and large amounts, shares that nearly tie
    *("Fe0.4O0.6", "La0.7Sr0.3MnO3", "Li0.5CoO2", "Ni0.999Fe0.001", "Si0.9999P0.0001", "Fe1000Ni"),
    *(
        "Ga0.5In0.5As",
        "Cu0.50001Zn0.49999",
        "Bi2Sr2CaCu2O8.2",
        "Mg0.5Ca0.5O",
        "Li1.0000000000000001O",
    ),
    # ends of what is allowed or equal: shares, charges, amounts, digits and length
    *("Cu0.500002Zn0.499998", "Na1.0005Cl", "Fe5000Ni", "Mg(OH)0.5", "Li1.50000000000000O"),
    "NaCl" * 45,
    # brackets of each kind, nested, with amounts that are no whole numbers
    *("Ca(OH)2", "(NH4)2SO4", "[Co(NH3)6]Cl3", "Mg3[Si4O10](OH)2", "{Li2O}2", "Ca(Al(OH)4)2"),
    *("(La0.8Sr0.2)MnO3", "Na2(B4O5)(OH)4", "K4(Fe(CN)6)"),
    # an element named twice, water, subscripts
    *("CH3COOH", "NaOOH", "CuSO4(H2O)5", "Na2SO4(H2O)0.5", "NH4NO3"),
    *("H₂O", "Al₂₃Co₄₅Cr₆₇Fe₈₉Ni₁₀"),
    # charges that cannot add up, an element of a single state, what some table has no number for
    *("NaCl2", "AlF", "XeF2", "He", "KrF2", "AmO2", "CfCl3", "OgF2"),
    # what looks like text of two readings, and has one
    *("CO", "CO2", "LaO1.5F0.5BiS2", "YBa2Cu3O6.95", "CsPbI2.400BrCl", "S8"),
    # what must stay unreadable: what may be a hydrate, an isotope, brackets that do not match
    *("MgCl2.6H2O", "MgCl2·6H2O", "D2O", "Ca(OH]2", "Xx2O3", "NaCl0", "Li10000000O"),
    # a point behind a letter, capitals, a name, a numeral, a comment, a zero for the letter O
    *("NaCl.2H2O", "Cl2.7H2O", "Al2O3.2SiO2", "SIO2", "HFB2", "Y123", "Cu(I)2O", "TiO2(B)"),
    "MgAl204",
    *BINARY.split(),
)
