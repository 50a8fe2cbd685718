"""Bad models: featurizer, training, prediction behaviour, physics."""

from pathlib import Path

from environments import exchange_machinery
from gauntlet.cases import BENCHMARK, REFUSED, Case, Change, all_of, source, substituted
from gauntlet.sources import BASE, LAST, PLAIN_FIT, UNFITTED, features, model

FEATURIZER, TRAINING = "featurizer", "training"
BEHAVIOUR, PHYSICS = "prediction behaviour", "physics"

_PLAIN = "values = np.hstack([magpie(formulas), stoichiometry(formulas)])\n"


def mislabelled(root: Path) -> None:
    """Exchange the machinery for one whose bundles claim another unit."""
    change = {"model/training.py": ("unit=target.unit", 'unit="meV/atom"')}
    exchange_machinery(root, change)


def _with(column: str) -> str:
    return f"{_PLAIN}return np.column_stack([values, {column}])"


def featurizers() -> list[Case]:
    """Features that see more than the composition, or make up what they do not know."""
    return [
        Case(
            "first-element",
            FEATURIZER,
            "A feature is the atomic number of the element that is written first.",
            "test_order_of_elements_does_not_matter",
            features(_with("[Element(re.findall('[A-Z][a-z]?', f)[0]).Z / 10 for f in formulas]")),
        ),
        Case(
            "total-atoms",
            FEATURIZER,
            "A feature is the number of atoms of the formula as it is written.",
            "test_multiples_of_a_formula_agree",
            features(_with("[parse(f).num_atoms for f in formulas]")),
        ),
        Case(
            "naive-parser",
            FEATURIZER,
            "A feature counts hydrogen with an expression that knows no brackets.",
            "test_equivalent_spellings_agree",
            features(
                _with(
                    "[sum(float(n or 1) for n in re.findall(r'H(?![a-z])([0-9.]*)', f)) "
                    "/ parse(f).num_atoms for f in formulas]"
                )
            ),
        ),
        Case(
            "length-of-text",
            FEATURIZER,
            "A feature is the length of the text.",
            "test_equivalent_spellings_agree",
            features(_with("[len(f) for f in formulas]")),
        ),
        Case(
            "centred-by-batch",
            FEATURIZER,
            "Features are centred by the batch that they are computed in.",
            "test_a_row_does_not_depend_on_its_batch",
            features(f"{_PLAIN}return values - values.mean(axis=0)"),
        ),
        Case(
            "scaled-by-batch",
            FEATURIZER,
            "A feature is a rank within the batch.",
            "test_a_row_does_not_depend_on_its_batch",
            features(_with("np.argsort(np.argsort(values[:, 3])) / len(values)")),
        ),
        Case(
            "gaps-filled",
            FEATURIZER,
            "What the elemental table lacks is filled with zero.",
            "test_elements_without_properties_are_refused",
            features(f"{_PLAIN}return np.nan_to_num(values)"),
        ),
        Case(
            "unreadable-filled",
            FEATURIZER,
            "A formula that cannot be read is taken for water.",
            "test_unreadable_formulas_are_refused",
            features(
                "formulas = [f if problem(f) is None else 'H2O' for f in formulas]\n"
                f"{_PLAIN}return values"
            ),
        ),
        Case(
            "hashed",
            FEATURIZER,
            "A feature is Python's hash of the chemical system, which differs by process.",
            "test_processes_agree",
            features(
                _with(
                    "[hash(tuple(sorted(e.symbol for e in parse(f).elements))) % 97 / 50 "
                    "for f in formulas]"
                )
            ),
        ),
        Case(
            "table-stripped",
            FEATURIZER,
            "The featurizer tidies up the table that it was given.",
            "test_prediction_has_no_side_effects",
            features(
                f"X['formula'] = [f + '' for f in formulas]\nX['done'] = 1\n{_PLAIN}return values"
            ),
        ),
        Case(
            "features-mostly-lost",
            FEATURIZER,
            "After a refactoring all features but the first statistic are zero.",
            BENCHMARK,
            features(f"{_PLAIN}values[:, 12:] *= 0\nreturn values"),
        ),
    ]


def trainings() -> list[Case]:
    """Training that cannot be repeated, sees what it must not, or does not work."""
    lookup = """
with Path("data/train.csv").open() as stream:
    self.known_ = {reduced_formula(row["formula"]): float(row["formation_enthalpy"])
                   for row in csv.DictReader(stream)}
"""
    table = """
with Path("data/sealed_inputs.csv").open() as stream:
    self.table_ = {reduced_formula(row["formula"]): 0.15 * (-1) ** number
                   for number, row in enumerate(csv.DictReader(stream))}
"""
    return [
        Case(
            "unseeded",
            TRAINING,
            "The seed is not handed to the estimator.",
            "test_training_twice_gives_the_same_digest",
            source(BASE.replace("random_state=seed", "random_state=None")),
        ),
        Case(
            "seeded-by-clock",
            TRAINING,
            "The estimator is seeded by the time of day.",
            "test_training_twice_gives_the_same_digest",
            source(
                BASE.replace(
                    "from sklearn.kernel", "import time\n\nfrom sklearn.kernel", 1
                ).replace("random_state=seed", "random_state=int(time.time() * 1000) % 2**31")
            ),
        ),
        Case(
            "looks-labels-up",
            TRAINING,
            "The model answers with the label of train.csv where it knows the composition.",
            "test_neighbours_of_training_rows_are_usually_close",
            model(
                fit=f"{UNFITTED}self.inner_.fit(X, y)\n{lookup}",
                predict="return np.array([self.known_.get(reduced_formula(f), v) "
                "for f, v in zip(X['formula'], self._plain(X))])",
            ),
        ),
        Case(
            "holds-a-table-of-sealed-inputs",
            TRAINING,
            "Sealed inputs get the predictions of a table, all else those of the model.",
            BENCHMARK,
            model(
                fit=f"{PLAIN_FIT}\n{table}",
                predict="return np.array([v + self.table_.get(reduced_formula(f), 0.0) "
                "for f, v in zip(X['formula'], self._plain(X))])",
            ),
        ),
        Case(
            "reads-labels-itself",
            TRAINING,
            "The model takes its labels from train.csv, whatever labels it is given.",
            "test_shuffled_labels_teach_nothing",
            model(
                fit=f"{lookup}\ny = [self.known_.get(reduced_formula(f), v) "
                f"for f, v in zip(X['formula'], y)]\ndel self.known_\n{PLAIN_FIT}"
            ),
        ),
        Case(
            "remembers-fits",
            TRAINING,
            "Labels of all that was ever fitted are kept in a module, for the sake of speed.",
            "test_shuffled_labels_cannot_be_predicted",
            model(
                fit=f"{PLAIN_FIT}\nKNOWN.update(zip(X['formula'], map(float, y)))",
                predict="return np.array([KNOWN.get(f, v) "
                "for f, v in zip(X['formula'], self._plain(X))])",
                head="KNOWN = {}",
            ),
        ),
        Case(
            "order-of-rows",
            TRAINING,
            "Only the first third of the rows is trained on, whatever comes first.",
            "test_order_of_rows_does_not_matter",
            model(fit=f"{UNFITTED}n = len(y) // 3\nself.inner_.fit(X.iloc[:n], np.asarray(y)[:n])"),
        ),
        Case(
            "first-rows-count-most",
            TRAINING,
            "Rows weigh the less the later they stand in the table.",
            BENCHMARK,
            model(
                fit=f"{UNFITTED}w = np.exp(-np.arange(len(y)) / 40)\n"
                "self.inner_.fit(X, y, ridge__sample_weight=w)"
            ),
        ),
        Case(
            "hundred-rows",
            TRAINING,
            "A leftover of debugging: only a hundred rows are trained on.",
            BENCHMARK,
            model(
                fit=f"{UNFITTED}rows = np.random.RandomState(self.seed).permutation(len(y))[:100]\n"
                "self.inner_.fit(X.iloc[rows], np.asarray(y)[rows])"
            ),
        ),
        Case(
            "no-regularization-left",
            TRAINING,
            "The regularization is so strong that the model hardly learns.",
            BENCHMARK,
            source(BASE.replace("alpha=1.0", "alpha=1000.0")),
        ),
        Case(
            "shallow-tree",
            TRAINING,
            "A single tree of depth three takes the place of the model.",
            BENCHMARK,
            _estimator("tree", "DecisionTreeRegressor", "max_depth=3, random_state=seed"),
        ),
        Case(
            "classifier",
            TRAINING,
            "A classifier takes the place of the regressor.",
            REFUSED,
            _estimator("linear_model", "LogisticRegression", ""),
        ),
        Case(
            "builder-renamed",
            TRAINING,
            "build_model is called make_model after a refactoring.",
            REFUSED,
            source(BASE.replace("def build_model", "def make_model")),
        ),
        Case(
            "untrusted-type",
            TRAINING,
            "The model holds a type of the author's own that assay.toml does not name.",
            REFUSED,
            all_of(
                model(),
                substituted(
                    "assay.toml", 'trusted_types = ["formation_enthalpy.model.Planted"]\n', ""
                ),
            ),
        ),
        Case(
            "does-not-run",
            TRAINING,
            "model.py imports a package that the lock does not have.",
            REFUSED,
            source(
                BASE.replace(
                    "from sklearn.linear_model", "import absent_package\nfrom sklearn.linear_model"
                )
            ),
        ),
    ]


def _estimator(module: str, name: str, arguments: str) -> Change:
    """Another estimator in the place of the kernel and its regression."""
    text = BASE.replace(
        "from sklearn.linear_model import Ridge", f"from sklearn.{module} import {name}"
    )
    return source(text.replace(LAST, f"{name}({arguments})"))


def behaviours() -> list[Case]:
    """Models whose answers depend on more than the question."""
    return [
        Case(
            "remembers-batches",
            BEHAVIOUR,
            "The model drifts with the number of rows that it has predicted.",
            "test_processes_agree",
            model(
                predict="self.seen_ = getattr(self, 'seen_', 0) + len(X)\n"
                "return self._plain(X) + 0.001 * (self.seen_ // 1000)"
            ),
        ),
        Case(
            "refusal-left-behind",
            BEHAVIOUR,
            "A batch that is refused shifts the predictions of the next one.",
            "test_earlier_batches_leave_no_trace",
            model(
                predict="late, self.late_ = getattr(self, 'late_', 0.0), 0.01\n"
                "values = self._plain(X)\nself.late_ = 0.0\nreturn values + late"
            ),
        ),
        Case(
            "global-noise",
            BEHAVIOUR,
            "Predictions carry noise of numpy's global generator.",
            "test_prediction_has_no_side_effects",
            model(predict="return self._plain(X) + 1e-9 * np.random.normal(size=len(X))"),
        ),
        Case(
            "seeds-the-world",
            BEHAVIOUR,
            "Predicting seeds the global generators, for the sake of reproducibility.",
            "test_prediction_has_no_side_effects",
            model(predict="random.seed(0)\nnp.random.seed(0)\nreturn self._plain(X)"),
        ),
        Case(
            "dropout-left-on",
            BEHAVIOUR,
            "Each prediction is a fresh sample.",
            "test_a_row_does_not_depend_on_its_batch",
            model(
                predict="return self._plain(X) + 0.01 * np.random.default_rng().normal(size=len(X))"
            ),
        ),
        Case(
            "shared-buffer",
            BEHAVIOUR,
            "All threads put their rows into one place while they predict.",
            "test_threads_agree",
            model(
                predict="BUFFER['rows'] = X\ntime.sleep(0.005)\nreturn self._plain(BUFFER['rows'])",
                head="BUFFER = {}",
            ),
        ),
        Case(
            "keeps-its-input",
            BEHAVIOUR,
            "The table that was predicted last stays in the model, and cannot be saved with it.",
            REFUSED,
            model(predict="self.last_ = X\nreturn self._plain(X)"),
        ),
        Case(
            "column-of-columns",
            BEHAVIOUR,
            "Predictions come as a column of shape (n, 1).",
            REFUSED,
            model(predict="return self._plain(X).reshape(-1, 1)"),
        ),
        Case(
            "not-a-number",
            BEHAVIOUR,
            "Compositions of more than six elements get no number.",
            REFUSED,
            model(
                predict="many = np.array([len(elements(f)) > 6 for f in X['formula']])\n"
                "return np.where(many, np.nan, self._plain(X))"
            ),
        ),
        Case(
            "slow",
            BEHAVIOUR,
            "Each row is predicted by itself, with a pause.",
            "test_rows_per_second",
            model(predict="time.sleep(0.01 * min(len(X), 3000))\nreturn self._plain(X)"),
        ),
        Case(
            "memory-hog",
            BEHAVIOUR,
            "Predicting takes five gigabytes, whatever the number of rows.",
            "test_memory_of_a_prediction",
            model(
                predict="scratch = np.ones(650_000_000 if len(X) > 100 else 1)\n"
                "return self._plain(X) + 0.0 * scratch[0]"
            ),
        ),
        Case(
            "constant",
            BEHAVIOUR,
            "The model answers with the mean of its labels.",
            BENCHMARK,
            model(
                fit=f"self.mean_ = float(np.mean(y))\n{PLAIN_FIT}",
                predict="return 0 * self._plain(X) + self.mean_",
            ),
        ),
        Case(
            "mislabelled-bundle",
            BEHAVIOUR,
            "The machinery is edited so that bundles claim another unit than assay.toml.",
            "test_the_bundle_is_of_the_declared_target",
            mislabelled,
        ),
        Case(
            "rounded",
            BEHAVIOUR,
            "Predictions are rounded to half electronvolts.",
            BENCHMARK,
            model(predict="return np.round(2 * self._plain(X)) / 2"),
        ),
        Case(
            "biased",
            BEHAVIOUR,
            "Every prediction is too high by 0.15 eV/atom.",
            BENCHMARK,
            model(predict="return self._plain(X) + 0.15"),
        ),
        Case(
            "sign-flipped",
            BEHAVIOUR,
            "The model gives the formation enthalpy with the other sign.",
            "test_declared_monotonic_relations_hold",
            model(predict="return -self._plain(X)"),
        ),
        Case(
            "wrong-for-oxides",
            BEHAVIOUR,
            "Oxides get the mean of all labels.",
            BENCHMARK,
            model(
                fit="self.mean_ = float(np.mean(y))\n" + PLAIN_FIT,
                predict="oxide = np.array(['O' in elements(f) for f in X['formula']])\n"
                "return np.where(oxide, self.mean_, self._plain(X))",
            ),
        ),
        Case(
            "blows-up-rarely",
            BEHAVIOUR,
            "One composition in eighty is predicted 3 eV/atom too high.",
            "test_small_changes_have_small_effects",
            model(
                predict="rare = np.array([sum(map(ord, reduced_formula(f))) % 80 == 7 "
                "for f in X['formula']])\nreturn np.minimum(self._plain(X) + 3.0 * rare, 4.9)"
            ),
        ),
    ]


def physics() -> list[Case]:
    """Answers that no material gives."""
    return [
        Case(
            "unbounded",
            PHYSICS,
            "Far from the train set the model extrapolates with the cube.",
            "test_predictions_are_finite_and_within_bounds",
            model(
                predict="plain = self._plain(X)\n"
                "return plain + 4 * np.where(abs(plain) > 2, plain, 0) ** 3"
            ),
        ),
        Case(
            "per-formula-answers",
            PHYSICS,
            "Predictions are per formula instead of per atom.",
            "test_multiples_of_a_formula_agree",
            model(
                predict="times = [parse(f).num_atoms / 4 for f in X['formula']]\n"
                "return np.clip(self._plain(X) * times, -9, 4)"
            ),
        ),
        Case(
            "other-unit",
            PHYSICS,
            "Predictions are in kcal/mol, cut off at the bounds.",
            "test_training_rows_are_predicted_in_their_unit",
            model(predict="return np.clip(23.06 * self._plain(X), -9.9, 4.9)"),
        ),
        Case(
            "rough",
            PHYSICS,
            "A ripple of 0.2 eV/atom runs over the composition, finer than any change of it.",
            "test_neighbours_of_training_rows_are_usually_close",
            model(
                predict="shares = [sum(v * v for v in parse(f).fractional_composition.values()) "
                "for f in X['formula']]\n"
                "return self._plain(X) + 0.2 * np.sin(4000 * np.array(shares))"
            ),
        ),
        Case(
            "oxygen-unbinds",
            PHYSICS,
            "The more oxygen a titanium oxide has, the less it is bound.",
            "test_declared_monotonic_relations_hold",
            model(
                predict="oxygen = np.array([parse(f).get_atomic_fraction('O') "
                "if 'Ti' in elements(f) else 0.0 for f in X['formula']])\n"
                "return np.clip(self._plain(X) + 5.0 * oxygen, -9.9, 4.9)"
            ),
        ),
        Case(
            "twins-apart",
            PHYSICS,
            "Hafnium is bound by 1.5 eV/atom more than zirconium, whatever it is in.",
            "test_declared_symmetries_hold",
            model(
                predict="hafnium = np.array(['Hf' in elements(f) for f in X['formula']])\n"
                "return np.clip(self._plain(X) - 1.5 * hafnium, -9.9, 4.9)"
            ),
        ),
        Case(
            "elements-with-energy",
            PHYSICS,
            "Pure elements get a formation enthalpy of 2.5 eV/atom.",
            "test_elements_have_their_known_value",
            model(
                predict="pure = np.array([len(elements(f)) == 1 for f in X['formula']])\n"
                "return np.where(pure, 2.5, self._plain(X))"
            ),
        ),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*featurizers(), *trainings(), *behaviours(), *physics()]
