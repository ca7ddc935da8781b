"""An attacker against suppressed tables: how many values are left for each small count?

    python tests/benchmarks/disclosure_attack.py --tables 200

Random tables of one way (3 to 20 levels) and two ways (3 to 8 by 2 to 4), skewed, margins
of at least 10, some counts under 10; and for each a later edition, in which counts have
grown. They are published by several rules, the project's own among them. The attacker
solves linear programs of its own (no code of the project): it knows every margin of both
editions exactly, the rule of rounding, that shown counts are at least 10, in the stronger
cases also which cells were withheld for being small and that counts only grow, and last
that they are whole numbers. A small count is given away as far as fewer than five values
are possible.
"""

import argparse
import time

import numpy as np
import pandas as pd
from scipy import optimize, sparse

from evaluation.findings.suppression import suppress_counts
from evaluation.paths import find_root
from evaluation.plan import load_plan

LEAST, STEP, ENOUGH = 10, 5, 5
NAIVE = {
    "primary, exact": (False, False),
    "primary, rounded": (False, True),
    "primary and second, rounded": (True, True),
}
OWN = "audited"


def draw_table(rng: np.random.Generator) -> np.ndarray:
    """Counts by levels of one trait (a column) or of two, with margins of at least 10."""
    while True:
        shape = (rng.integers(3, 21), 1)
        if rng.random() < 0.5:
            shape = (rng.integers(3, 9), rng.integers(2, 5))
        means = rng.gamma(0.8, rng.choice([15, 30, 60]), shape)
        table = rng.poisson(means)
        margins = [table.sum()]
        if shape[1] > 1:
            margins += [*table.sum(axis=0), *table.sum(axis=1)]
        if min(margins) >= LEAST and (table < LEAST).any() and (table >= LEAST).any():
            return table


def grow(table: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same counts a year later: a few more, in many cells nobody."""
    return table + rng.poisson(rng.choice([0, 0.5, 0.1 * table.mean()], table.shape))


def list_margins(shape) -> list[np.ndarray]:
    """Positions of the cells that belong to each margin."""
    places = np.arange(np.prod(shape)).reshape(shape)
    if shape[1] == 1:
        return [places.ravel()]
    return [*places, *places.T, places.ravel()]


def write_frame(table: np.ndarray) -> pd.DataFrame:
    """The table as the project takes it, with its margins."""
    wide = pd.DataFrame(table)
    wide.loc["all"] = wide.sum()
    if table.shape[1] > 1:
        wide["all"] = wide.sum(axis=1)
    long = wide.rename_axis("one").reset_index().melt("one", var_name="two", value_name="n")
    return long.astype({"one": "str", "two": "str"})


def publish_own(table, rules, recalled=()):
    """Published table of the project, and which cells are hidden."""
    frame, by = write_frame(table), ["one", "two"] if table.shape[1] > 1 else ["one"]
    told = suppress_counts(frame, ["n"], by, rules, recalled=recalled)
    hidden = told.pivot(index="one", columns="two", values="n").isna()
    rows, columns = (list(map(str, range(size))) for size in table.shape)
    return told, hidden.loc[rows, columns].to_numpy()


def hide_naively(table: np.ndarray, second: bool) -> np.ndarray:
    """Small cells, and the smallest other where a margin lacks only one."""
    hidden, values = (table < LEAST).ravel(), table.ravel()
    while second:
        before = hidden.copy()
        for cells in list_margins(table.shape):
            left = cells[~hidden[cells]]
            if hidden[cells].sum() == 1 and len(left):
                hidden[left[np.argmin(values[left])]] = True
        second = (hidden != before).any()
    return hidden.reshape(table.shape)


def bound_cells(table, hidden, rounded, reasons):
    """What the attacker knows of each cell at once: least and largest value."""
    values, hidden = table.ravel().astype(float), hidden.ravel()
    low, high = values.copy(), values.copy()
    if rounded:
        near = np.floor(values / STEP + 0.5) * STEP
        low, high = np.maximum(near - 2, LEAST), near + 2
    most = values.sum() + 100
    low[hidden], high[hidden] = 0, most
    if reasons:
        small = hidden & (values < LEAST)
        low[hidden & ~small], high[small] = LEAST, LEAST - 1
    return low, high


def attack(editions: list[tuple], reasons: bool, whole: bool = False) -> np.ndarray:
    """Number of values left for each small count that is hidden, edition after edition.

    `editions`: (true table, hidden, rounded) of the same table, counts growing.
    """
    limits = [bound_cells(*edition, reasons) for edition in editions]
    low, high = (np.concatenate(ends) for ends in zip(*limits, strict=True))
    size, rows, right = len(low) // len(editions), [], []
    for at, (table, *_) in enumerate(editions):
        for cells in list_margins(table.shape):
            rows.append(np.isin(np.arange(len(low)), cells + at * size))
            right.append(table.ravel()[cells].sum())
    growth = sparse.csr_matrix((0, len(low)))
    if len(editions) > 1:
        growth = sparse.hstack([sparse.identity(size), -sparse.identity(size)]).tocsr()
    equal = np.array(rows, dtype=float)
    left = []
    for at, (table, hidden, _) in enumerate(editions):
        for cell in np.flatnonzero(hidden.ravel() & (table.ravel() < LEAST)):
            ends = []
            for sign in (1, -1):
                goal = np.zeros(len(low))
                goal[cell + at * size] = sign
                ends.append(_solve(goal, low, high, equal, right, growth, whole))
            least, most = np.ceil(ends[0] - 1e-6), np.floor(-ends[1] + 1e-6)
            left.append(most - least + 1)
    return np.array(left, dtype=int)


def _solve(goal, low, high, equal, right, growth, whole):
    if whole:
        found = optimize.milp(
            goal,
            integrality=np.ones(len(goal)),
            bounds=optimize.Bounds(low, high),
            constraints=[
                optimize.LinearConstraint(sparse.csr_matrix(equal), right, right),
                *([optimize.LinearConstraint(growth, -np.inf, 0)] if growth.shape[0] else []),
            ],
        )
    else:
        more = {"A_ub": growth, "b_ub": np.zeros(growth.shape[0])} if growth.shape[0] else {}
        found = optimize.linprog(
            goal, A_eq=equal, b_eq=right, bounds=np.column_stack([low, high]), **more
        )
    assert found.status == 0, found.message
    return found.fun


def draw_case(rng, rules) -> dict:
    """One table with its later edition, published by each rule."""
    first = draw_table(rng)
    later = grow(first, rng)
    told, hidden = publish_own(first, rules)
    start = time.process_time()
    _, hidden_later = publish_own(later, rules, ((-1, told, write_frame(first)),))
    spent = time.process_time() - start
    _, alone = publish_own(later, rules)
    cases = {OWN: [(first, hidden, True), (later, hidden_later, True)]}
    cases["audited, each edition alone"] = [(first, hidden, True), (later, alone, True)]
    for name, (second, rounded) in NAIVE.items():
        cases[name] = [
            (table, hide_naively(table, second), rounded) for table in (first, later)
        ]
    return cases | {"seconds": spent}


def measure(number: int, seed: int = 1, whole: bool = True) -> tuple[dict, dict, list]:
    """Values left by rule and attacker, cells lost by rule, seconds of publishing."""
    rules = load_plan(find_root() / "data" / "reference")["disclosure"]
    rng, left, lost, seconds = np.random.default_rng(seed), {}, {}, []
    for _ in range(number):
        cases = draw_case(rng, rules)
        seconds.append(cases.pop("seconds"))
        for rule, pair in cases.items():
            found = {
                "one edition": [attack([edition], False) for edition in pair],
                "both editions": [attack(pair, False)],
            }
            if whole and rule == OWN:
                found["both editions, whole numbers"] = [attack(pair, False, True)]
            found["one edition, which are small"] = [attack([one], True) for one in pair]
            found["both editions, which are small"] = [attack(pair, True)]
            for attacker, parts in found.items():
                left.setdefault((rule, attacker), []).extend(parts)
            lost.setdefault(rule, []).extend(
                (int((hidden & (table >= LEAST)).sum()), int((table >= LEAST).sum()))
                for table, hidden, _ in pair
            )
    return {key: np.concatenate(parts) for key, parts in left.items()}, lost, seconds


def compare_growth(number: int, seed: int = 1) -> dict:
    """How many values are left for how much a shown count has grown, if by 1 to 9."""
    rng, left = np.random.default_rng(seed), {"nothing": [], "that counts only grow": []}
    for _ in range(number):
        first = draw_table(rng)
        later = grow(first, rng)
        ends = [bound_cells(t, np.zeros(t.shape, bool), True, False) for t in (first, later)]
        both = ((first >= LEAST) & (later > first) & (later - first < LEAST)).ravel()
        least, most = ends[1][0] - ends[0][1], ends[1][1] - ends[0][0]
        left["nothing"].append((most - least + 1)[both])
        left["that counts only grow"].append((most - np.maximum(least, 0) + 1)[both])
    return {name: np.concatenate(parts).astype(int) for name, parts in left.items()}


def describe(values: np.ndarray) -> str:
    """Counts by number of values left, and the fewest."""
    bins = [("1", 1, 1), ("2–4", 2, 4), ("5–6", 5, 6), ("7–9", 7, 9), ("10+", 10, np.inf)]
    parts = [f"{name}: {((values >= a) & (values <= b)).sum():5d}" for name, a, b in bins]
    return f"fewest {values.min():3d} | " + "  ".join(parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    left, lost, seconds = measure(options.tables, options.seed)
    print(f"{options.tables} tables and as many pairs of editions; values left per small count")
    for (rule, attacker), values in left.items():
        print(f"{rule:32s} {attacker:40s} {describe(values)}")
    print("\ncounts of at least 10 that are lost")
    for rule, parts in lost.items():
        hidden, shown = np.array(parts).sum(axis=0)
        print(f"{rule:32s} {hidden:5d} of {shown} ({hidden / shown:.1%})")
    print("\nvalues left for how much a shown count has grown (by 1 to 9), knowing ...")
    for name, values in compare_growth(options.tables, options.seed).items():
        print(f"{name:32s} {describe(values)}")
    spent = np.array(seconds) * 1000
    middle, longest = np.median(spent), spent.max()
    print(f"\npublishing one table: median {middle:.0f} ms, longest {longest:.0f}")


if __name__ == "__main__":
    main()
