"""Protection: which further cells are withheld so that no small count can be worked out."""

import numpy as np

from evaluation.errors import DisclosureError
from evaluation.findings.audit import (
    Knowledge,
    count_values,
    find_cheapest,
    find_ranges,
    reconcile,
)
from evaluation.findings.margins import Cells, bound_rounded, round_counts
from evaluation.findings.recalled import Recalled


def choose_hidden(
    cells: Cells,
    hidden: np.ndarray,
    rules: dict,
    recalled: tuple[Recalled, ...] = (),
) -> np.ndarray:
    """Choose the cells to withhold: those that must be, and what protects the small ones.

    Of each total at least two cells are missing, the second being the smallest left.
    Then the audit: every small count, what a total holds beyond its levels, and the cells
    missing from one total taken together, as far as they are under the threshold, must have
    `min_values` possible values for a reader who knows each total exactly and which cells
    were small. Where they have not, the cells that cost least go too. Where even that is
    not enough, the reader is no longer supposed to know which cells were small: that is
    not published.

    Parameters
    ----------
    cells, hidden
        The table, and its cells that must not be told.
    rules
        ``min_count``, ``round_to`` and ``min_values`` of the plan.
    recalled
        What other editions have published of the same table.

    Returns
    -------
    numpy.ndarray
        Booleans, one per cell.

    Raises
    ------
    DisclosureError
        If no choice of cells protects the small ones.
    """
    must, hidden = hidden, hide_second(cells, hidden)
    if not recalled and not (hidden.any() and cells.sums):
        return hidden
    given = (cells, rules, recalled)
    more, left = _hide_more(hidden, given, True)
    if left:
        more, left = _hide_more(more, given, False, left)
    if left:
        raise DisclosureError(
            f"有 {len(left)} 个略去的人数可由合计推算到不足 {rules['min_values']} 种可能，"
            "再略去别的也不够：请合并一些类别（如乡镇、分组）后再公布。"
        )
    return hidden if (more == hidden).all() else _show_again(more, must, given)


def hide_second(cells: Cells, hidden: np.ndarray) -> np.ndarray:
    """Withhold a second cell of each total of which only one is missing, the smallest."""
    hidden = hidden.copy()
    again = True
    while again:
        again = False
        for members, total in cells.sums:
            missing = hidden[members] | cells.is_rest[members]
            if hidden[total] or missing.sum() != 1 or not hidden[members].any():
                continue
            left = members[~missing]
            if len(left):
                hidden[left[np.argmin(cells.values[left])]] = again = True
    return hidden


def find_weak(
    hidden: np.ndarray, given: tuple, why: bool = True, only=None
) -> tuple[np.ndarray, Knowledge]:
    """Find what a reader can narrow down to fewer than `min_values` values.

    Parameters
    ----------
    hidden
        Cells withheld.
    given
        Cells, rules and recalled editions, as `choose_hidden` takes them.
    why
        Whether the reader knows which cells are small.
    only
        Positions to look at; none: all that must not be told.

    Returns
    -------
    tuple
        Positions in the knowledge, and the knowledge.
    """
    cells, rules, _ = given
    enough = rules["min_values"]
    known, targets = pose_attack(hidden, given, why)
    targets = targets if only is None else np.intersect1d(targets, only)
    ranges = find_ranges(known, targets, enough - 1)
    if ranges is None:  # a count has shrunk after all: certain is what this table says itself
        known = reconcile(known, pose_attack(hidden, (cells, rules, ()), why)[0])
        ranges = find_ranges(known, targets, enough - 1)
    return targets[count_values(*ranges) < enough], known


def pose_attack(
    hidden: np.ndarray, given: tuple, why: bool = True
) -> tuple[Knowledge, np.ndarray]:
    """What the reader of the published table knows, counted generously, and what is secret.

    Every total that is shown is known exactly; of another shown count the rounding is
    known, and that it is not small. Behind the cells stands,
    for each sum, what is missing from it, and behind those the cells of other editions.
    """
    cells, rules, recalled = given
    step, least = rules["round_to"], rules["min_count"]
    size, values = len(cells.values), np.nan_to_num(cells.values)
    most = values.sum() + 2 * least
    small = hidden & (cells.values < least)
    low, high = bound_rounded(round_counts(values, step), step, least)
    low, high = (np.where(cells.is_total, values, end) for end in (low, high))
    low = np.where(hidden, least if why else 0, low)
    high = np.where(hidden, most, high)
    if why:
        low, high = np.where(small, 0, low), np.where(small, least - 1, high)
    open_to = cells.is_rest | np.isnan(cells.values)
    low, high = np.where(open_to, 0, low), np.where(open_to, most, high)
    secret = np.where(cells.is_rest, (values > 0) & (values < least), small)
    sums, orders = list(cells.sums), list(cells.orders)
    together = np.zeros(len(cells.sums), dtype=bool)
    for at, (members, total) in enumerate(cells.sums):
        missing = members[hidden[members] | cells.is_rest[members]]
        sums.append((missing, size + at))
        together[at] = len(missing) > 0 and values[missing].sum() < least
        if values[total] == 0 and not hidden[total]:  # of nobody there is nothing to tell
            secret[members] = together[at] = False
    targets = [np.flatnonzero(np.append(secret, together))]
    low = np.append(low, np.zeros(len(together)))
    high = np.append(high, np.full(len(together), most))
    for other in recalled:
        start, known = len(low), other.known_why if why else other.known
        low, high = np.append(low, known.low), np.append(high, known.high)
        sums += [(start + members, start + total) for members, total in known.sums]
        orders += [(start + part, start + whole) for part, whole in known.orders]
        for here in np.flatnonzero(other.place >= 0):
            there = start + other.place[here]
            pair = (there, here) if other.is_before else (here, there)
            if low[pair[0]] <= high[pair[1]]:
                orders.append(pair)
        own = np.flatnonzero(known.high - known.low >= rules["min_values"])
        targets.append(start + own)
    return Knowledge(low, high, sums, orders), np.concatenate(targets)


def _hide_more(hidden, given, why, only=None):
    """Withhold further cells until the audit passes; what is left is beyond help."""
    cells, rules, _ = given
    lost: set[int] = set()
    least, width = rules["min_count"], rules["min_values"] - 1
    while True:
        weak, known = find_weak(hidden, given, why, only)
        weak = [cell for cell in weak if cell not in lost]
        if not weak:
            return hidden, sorted(lost)
        losses = np.full(len(known.low), np.inf)
        free = ~hidden & ~cells.is_total & ~cells.is_rest & ~np.isnan(cells.values)
        losses[: len(free)][free] = np.maximum(cells.values[free], 1)
        bounds = (least if why else 0, known.high.max())
        low, high = (end[0] for end in find_ranges(known, weak[:1]))
        goals = [goal for goal in (low + width, high - width) if goal >= 0]
        goals = [goal for goal in goals if goal <= known.high[weak[0]]]
        found = [find_cheapest(known, weak[0], goal, losses, bounds) for goal in goals]
        found = [more for more in found if more is not None and len(more)]
        if not found:
            lost.add(weak[0])
            continue
        best = min(found, key=lambda more: losses[more].sum())
        hidden = hide_second(cells, hidden | np.isin(np.arange(len(hidden)), best))


def _show_again(hidden, must, given):
    """Show again, largest first, what turns out not to be needed."""
    cells = given[0]
    weak = find_weak(hidden, given)[0]
    extra = np.flatnonzero(hidden & ~must)
    for cell in extra[np.argsort(-cells.values[extra], kind="stable")]:
        trial = hidden & (np.arange(len(hidden)) != cell)
        if (hide_second(cells, trial) != trial).any():
            continue
        left = find_weak(trial, given)[0]
        if np.isin(left, weak).all() and not len(find_weak(trial, given, False, left)[0]):
            hidden = trial
    return hidden
