"""The audit: how far whoever reads a table can narrow down what it withholds.

What a reader knows of the cells are bounds, sums and orders; the least and the largest
value that a cell can have under them are two linear programs (the attacker's problem:
Fischetti and Salazar 2000, J. Amer. Statist. Assoc. 95:916), solved by HiGHS.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from evaluation.errors import DisclosureError

_NEAR = 1e-6


@dataclass(frozen=True)
class Knowledge:
    """What a reader knows of some cells.

    Attributes
    ----------
    low, high
        Bounds of each cell, in persons.
    sums
        Pairs (cells, total): those cells add up to this one.
    orders
        Pairs (smaller, larger): the first cell is at most the second.
    """

    low: np.ndarray
    high: np.ndarray
    sums: list[tuple[np.ndarray, int]]
    orders: list[tuple[int, int]]


def count_values(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How many whole numbers lie in each range.

    >>> count_values(np.array([0.0, 2.5]), np.array([4.0, 3.0]))
    array([5, 1])
    """
    return (np.floor(high + _NEAR) - np.ceil(low - _NEAR) + 1).astype(int)


def find_ranges(
    known: Knowledge, cells, enough: float = np.inf
) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the least and the largest value that each of some cells can have.

    Parameters
    ----------
    known
        What the reader knows; every cell has a finite upper bound.
    cells
        Positions of the cells looked at.
    enough
        Do not look further at a cell whose range is known to be so wide; what comes back
        for it is then a part of its range.

    Returns
    -------
    tuple of numpy.ndarray, or None
        Least and largest values; None where what is known contradicts itself.
    """
    cells = np.asarray(cells, dtype=int)
    low, high = np.full(len(cells), np.inf), np.full(len(cells), -np.inf)
    rules = _write_rules(known)

    def look(at, sign):
        goal = np.zeros(len(known.low))
        goal[cells[at]] = -sign
        found = _solve(goal, known.low, known.high, rules)
        if found is not None:
            np.minimum(low, found[cells], out=low)
            np.maximum(high, found[cells], out=high)
        return found is not None

    if len(cells) and not look(slice(None), 1):
        return None
    if len(cells):
        look(slice(None), -1)  # all at once: mostly that is enough already
    for at in range(len(cells)):
        for sign in (1, -1):
            if high[at] - low[at] < enough - _NEAR:
                look([at], sign)
    return low, high


def reconcile(known: Knowledge, sure: Knowledge) -> Knowledge:
    """Give up what contradicts the certain, with all that its own sums tie to it.

    Sums and orders may be missed at a price, as small in all as possible (elastic
    constraints: Chinneck and Dravnieks 1991, ORSA J. Computing 3:157). Where one is missed,
    what is known of those cells is no longer true, and nothing of it is used.

    Parameters
    ----------
    known
        Its first cells, sums and orders are those of `sure`; its other sums are of other
        cells.
    sure
        Contradicts nothing.
    """
    from scipy import sparse

    sums, orders = known.sums[len(sure.sums) :], known.orders[len(sure.orders) :]
    ties = [(cell, total) for members, total in sums for cell in members]
    ties = np.array(ties, dtype=int).reshape(-1, 2).T
    shape = (len(known.low), len(known.low))
    graph = sparse.csr_matrix((np.ones(ties.shape[1]), tuple(ties)), shape)
    block = sparse.csgraph.connected_components(graph, directed=False)[1]
    touched = [{block[total]} for _, total in sums]
    touched += [{block[at] for at in pair if at >= len(sure.low)} for pair in orders]
    missed = itertools.compress(touched, _find_missed(known, sums, orders))
    broken = set().union(*missed)
    kept = [blocks.isdisjoint(broken) for blocks in touched]
    return Knowledge(
        known.low,
        known.high,
        [*sure.sums, *itertools.compress(sums, kept)],
        [*sure.orders, *itertools.compress(orders, kept[len(sums) :])],
    )


def _find_missed(known, sums, orders) -> list[bool]:
    """Which of the last sums and orders are missed where as little as can be is missed."""
    size, prices = len(known.low), []
    elastic = known.sums[: len(known.sums) - len(sums)]
    parts = known.orders[: len(known.orders) - len(orders)]
    for members, total in sums:  # with what it lacks, or has too much, in cells of their own
        lacks, exceeds, both = size + np.arange(3)
        elastic += [(np.append(members, lacks), both), (np.array([total, exceeds]), both)]
        prices.append([lacks, exceeds])
        size += 3
    for part, whole in orders:
        lacks, both = size + np.arange(2)
        elastic.append((np.array([whole, lacks]), both))
        parts.append((part, both))
        prices.append([lacks])
        size += 2
    goal, more = np.zeros(size), np.zeros(size - len(known.low))
    goal[[at for price in prices for at in price]] = 1
    low, high = np.append(known.low, more), np.append(known.high, more + np.inf)
    found = _solve(goal, low, high, _write_rules(Knowledge(low, high, elastic, parts)))
    return [found[price].sum() > _NEAR for price in prices]


def find_cheapest(
    known: Knowledge, cell: int, value: float, losses: np.ndarray, free: tuple
) -> np.ndarray | None:
    """Which further cells must be withheld so that one cell could have another value.

    The least loss in the sense of Kelly, Golden and Assad (1992, Networks 22:397): how far
    the shown cells would have to move beyond what their rounding leaves open, weighted by
    their losses, is as small as can be.

    Parameters
    ----------
    cell, value
        The cell, and the value that must become possible.
    losses
        Of each cell, what withholding it costs; infinite where it cannot be withheld.
    free
        Least and largest value of a cell if it were withheld.

    Returns
    -------
    numpy.ndarray, or None
        Positions of the cells; None where no choice of cells is enough.
    """
    from scipy import sparse

    may = np.flatnonzero(np.isfinite(losses))
    low, high = known.low.astype(float), known.high.astype(float)
    low[may], high[may] = np.minimum(low[may], free[0]), np.maximum(high[may], free[1])
    low[cell] = high[cell] = value
    # What a cell moves up and down beyond its bounds stands in two columns of its own.
    picked = sparse.csr_matrix(
        (np.ones(len(may)), (np.arange(len(may)), may)), (len(may), len(low))
    )
    one, none = sparse.identity(len(may)), sparse.csr_matrix((len(may), len(may)))
    moves = sparse.bmat([[picked, -one, none], [-picked, none, -one]])
    equal, below, limits = _write_rules(known, 2 * len(may))
    rules = (
        equal,
        sparse.vstack([below, moves]),
        np.concatenate([limits, known.high[may], -known.low[may]]),
    )
    goal = np.concatenate([np.zeros(len(low)), losses[may], losses[may]])
    far = np.full(2 * len(may), free[1])
    nothing = np.zeros(2 * len(may))
    found = _solve(goal, np.append(low, nothing), np.append(high, far), rules)
    if found is None:
        return None
    moved = found[len(low) :].reshape(2, -1).sum(axis=0)
    return may[moved > _NEAR]


def _write_rules(known: Knowledge, more: int = 0):
    """Sums and orders as matrices, with empty columns at their right end."""
    from scipy import sparse

    size = len(known.low) + more
    sums = [
        (number, at, weight)
        for number, (members, total) in enumerate(known.sums)
        for at, weight in [*((at, 1.0) for at in members), (total, -1.0)]
    ]
    orders = [
        (number, at, weight)
        for number, pair in enumerate(known.orders)
        for at, weight in zip(pair, (1.0, -1.0), strict=True)
    ]
    matrices = []
    for entries, height in ((sums, len(known.sums)), (orders, len(known.orders))):
        row, column, weight = zip(*entries, strict=True) if entries else ((), (), ())
        matrices.append(sparse.csr_matrix((weight, (row, column)), (height, size)))
    return *matrices, np.zeros(len(known.orders))


def _solve(goal, low, high, rules):
    """Values of the cells at the least of the goal; None where there are none."""
    from scipy import optimize

    equal, below, limits = rules
    found = optimize.linprog(
        goal,
        A_eq=equal if equal.shape[0] else None,
        b_eq=np.zeros(equal.shape[0]) if equal.shape[0] else None,
        A_ub=below if below.shape[0] else None,
        b_ub=limits if below.shape[0] else None,
        bounds=np.column_stack([low, high]),
        method="highs",
    )
    if found.status not in (0, 2):  # neither solved nor impossible: then nothing is known
        raise DisclosureError(
            "无法审核略去的人数能否被推算出来（线性规划没有解出），请与维护者联系。"
        )
    return found.x if found.status == 0 else None
