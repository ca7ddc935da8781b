"""Merged cells: what the reader of a sheet sees in the cells they cover."""

from collections.abc import Sequence

import numpy as np

from evaluation.ledgers.captions import is_filled
from evaluation.ledgers.schema import CLEAN

_WIDEST = 1_000  # columns of a merged cell that are looked at


class Merges:
    """Merged ranges of a sheet, found by row and by column.

    Parameters
    ----------
    ranges
        First row, first column, last row, last column, from 0.
    """

    def __init__(self, ranges: Sequence[tuple[int, int, int, int]]):
        found = np.array(ranges, dtype=np.int64).reshape(-1, 4)
        self._by_row = found[np.argsort(found[:, 0], kind="stable")]
        tall = found[found[:, 2] > found[:, 0]]
        self._tall = tall[np.lexsort((tall[:, 0], tall[:, 1]))]

    def across(self, row: int) -> dict[int, int] | None:
        """First column of the merged cell that covers a column, by column; none without any.

        Only cells that begin in this row: what stands there is seen in the columns covered.
        """
        start, end = np.searchsorted(self._by_row[:, 0], [row, row + 1])
        if start == end:
            return None
        return {
            column: left
            for _, left, _, right in self._by_row[start : min(end, start + _WIDEST)].tolist()
            for column in range(left + 1, min(right, left + _WIDEST) + 1)
        }

    def see(self, at: int, rows: np.ndarray, column: Sequence, once: bool):
        """A column as it is seen: what is merged downwards stands in each row it covers.

        Parameters
        ----------
        at
            Position of the column in the sheet.
        rows
            Rows of the table, ascending; a merged cell that begins in none of them (in a
            title, in a heading) does not matter.
        column
            Its cells in these rows.
        once
            Whether it stands in the first row only, since it would be added up.

        Returns
        -------
        tuple
            The cells, and the positions of those that a merged one covers.
        """
        start, end = np.searchsorted(self._tall[:, 1], [at, at + 1])
        if start == end or not len(rows):
            return column, np.empty(0, dtype=int)
        tops, bottoms = self._tall[start:end, 0], self._tall[start:end, 2]
        last = np.searchsorted(tops, rows, "right") - 1
        source = np.minimum(np.searchsorted(rows, tops[last]), len(rows) - 1)
        covered = (last >= 0) & (bottoms[last] >= rows) & (rows[source] == tops[last])
        covered = np.flatnonzero(covered & (source < np.arange(len(rows))))
        cells = list(column)
        seen = [place for place in covered.tolist() if is_filled(cells[source[place]])]
        for place in seen:
            cells[place] = "" if once else cells[source[place]]
        return cells, np.array(seen, dtype=int)


def counts_once(ledger: str, column: str) -> bool:
    """Whether a merged cell of a column counts in its first row only: amounts and counts."""
    return CLEAN[ledger].get(column) in ("amount", "count")
