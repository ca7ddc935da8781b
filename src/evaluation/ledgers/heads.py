"""The rows that hold the headings of a table, and what each column may be named."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from evaluation.ledgers.headings import Aliases, forms_of, names_somebody_else
from evaluation.ledgers.merged import Merges

_FEWEST = 3  # headings that make a table
_TALLEST = 3  # rows of a heading
_ENDLESS = 2**20  # a column that no sheet has
_LONGEST = 60  # characters of a heading that are shown
_NUMBER = re.compile(r"[\d０-９]{6,}[\dXx*]*")
# Numbers, days and damaged resident numbers: nothing of a heading, which may hold the days
# of a month (1 to 31) or a year.
_DIGITS = re.compile(r"[\d*]{6}|\d{4}[-./]\d{1,2}[-./]\d|\dE\+?\d\d")
_LARGE = 100


@dataclass(frozen=True)
class Heading:
    """One to three rows that hold the headings of a table, or of several side by side.

    Attributes
    ----------
    position, height
        Its first row, and how many there are.
    names
        By column: its possible names, best first, each with the number of rows joined.
    keys
        By column: known headings that it may stand for, and by which of its names.
    """

    position: int
    height: int
    names: list[list[tuple[str, int]]]
    keys: list[list[tuple[str, int]]]


def find_heading(
    rows: Sequence[list], first: int, last: int, merges: Merges, aliases: Aliases
) -> Heading | None:
    """Find the heading that begins at one of some rows, or none with three known headings.

    Of several the one that fits a ledger best is taken: most columns, then most that only
    the rows together name, then fewest rows.

    Parameters
    ----------
    first, last
        Rows at which it may begin.
    """
    best, rank = None, (_FEWEST - 1, 0, 0)
    known = aliases.known
    for position in range(max(first, 0), min(last + 1, len(rows))):
        for height in range(1, _TALLEST + 1):
            block = rows[position : position + height]
            if len(block) < height or _is_data(block[-1], aliases):
                break
            names = _names(block, position, merges)
            keys = [_keys(forms, known) for forms in names]
            if sum(map(bool, keys)) < rank[0]:
                continue
            matches = [match(keys, table) for table in aliases.columns.values()]
            widest = max(matches, key=len)
            joined = sum(names[at][used][1] > 1 for at, used in widest.values())
            if (len(widest), joined, -height) > rank:
                best = Heading(position, height, names, keys)
                rank = (len(widest), joined, -height)
    return best


def split_sides(heading: Heading, aliases: Aliases) -> list[tuple[int, int]]:
    """Where tables stand side by side: first column of each and the one after its last.

    Only where each has all required columns of a ledger: a spouse's name and number beside
    a person's make no second table.
    """
    numbers = [
        at
        for at, found in enumerate(heading.keys)
        if any(t.get(key) == "number" for key, _ in found for t in aliases.columns.values())
    ]
    cuts = [0]
    for before, after in pairwise(numbers):
        cut = _find_cut(heading.names, cuts[-1], before, after)
        cuts += [cut] if cut else []
    sides = list(pairwise([*cuts, _ENDLESS]))
    whole = all(_is_whole(heading, side, aliases) for side in sides)
    return sides if whole else [(0, _ENDLESS)]


def _find_cut(names, first, before, after):
    """The column after a blank one between two numbers, or the one named as the first is."""
    texts = [name_of(forms) for forms in names]
    blank = [at for at in range(before + 1, after) if not texts[at]]
    if blank:
        return blank[-1] + 1
    start = next((text for text in texts[first:] if text), None)
    return next((at for at in range(before + 1, after + 1) if texts[at] == start), None)


def _is_whole(heading, side, aliases):
    inside = [k if side[0] <= at < side[1] else [] for at, k in enumerate(heading.keys)]
    return any(
        set(aliases.required[ledger]) <= set(match(inside, table))
        for ledger, table in aliases.columns.items()
    )


def _names(block, position, merges):
    """Possible names of each column, each with the number of rows joined, best first."""
    width = max(map(len, block))
    texts = [[_text(cell) for cell in row] + [""] * (width - len(row)) for row in block]
    if len(block) == 1:
        return [[(text, 1)] for text in _continue(texts[0])]
    below = [""] * width
    for height in range(len(block) - 1, -1, -1):
        if height < len(block) - 1:
            texts[height] = _spread(texts[height], below, position + height, merges)
        below = [text or under for text, under in zip(texts[height], below, strict=True)]
    chosen = sorted(
        (rows for n in range(1, len(block) + 1) for rows in combinations(range(len(block)), n)),
        key=lambda rows: (-len(rows), [-row for row in reversed(rows)]),
    )
    return [_join(column, chosen) for column in zip(*texts, strict=True)]


def _join(column, chosen):
    """Names of a column from the texts of its rows; rows that are blank there join nothing."""
    names, about = {}, {row for row, text in enumerate(column) if names_somebody_else(text)}
    for rows in chosen:
        if about - set(rows):
            continue  # under 配偶 stand the spouse's name and number
        texts = [column[row] for row in rows if column[row]]
        names.setdefault("".join(texts), len(texts))
    return list(names.items())


def _spread(texts, below, row, merges):
    """Name cells of an upper row after their left neighbour where it is merged over them.

    Without merged cells (csv) that is guessed from a name below a blank cell.
    """
    covered, spread, last = merges.across(row), [], ""
    for at, (text, under) in enumerate(zip(texts, below, strict=True)):
        if text:
            last = text
        elif covered is not None:
            last = texts[covered[at]] if at in covered else ""
        elif not under:
            last = ""
        spread.append(last)
    return spread


def _is_data(row, aliases):
    """Whether more cells hold numbers such as no heading has than known headings."""
    numbers = sum(
        abs(cell) >= _LARGE
        if isinstance(cell, int | float)
        else bool(_DIGITS.search(str(cell)))
        for cell in row
    )
    return numbers > sum(map(aliases.knows, row))


def _continue(names):
    """Name a cell without a heading after its left neighbour: merged over two columns."""
    return [
        text or (f"{before}（续）" if before else "")
        for text, before in zip(names, ["", *names], strict=False)
    ]


def _text(cell):
    return cell.strip() if isinstance(cell, str) else ""


def _keys(forms, known):
    """Known headings that a column's names may stand for, and which name it is, best first."""
    return [
        (key, used)
        for used, (form, _) in enumerate(forms)
        for key in forms_of(form)
        if key in known
    ]


def match(keys: list, table: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Position and which of its names fitted, by column of a ledger."""
    columns = {}
    for at, found in enumerate(keys):
        hits = ((table[key], used) for key, used in found if key in table)
        column, used = next(hits, (None, 0))
        if column and column not in columns:
            columns[column] = (at, used)
    return columns


def name_of(forms) -> str:
    """Heading of a column as typed, for people; nothing if it has none of its own."""
    text = typed(forms[0][0])
    return "" if text.endswith("（续）") else text


def typed(text: str) -> str:
    """A heading as typed, without white space; a number in its place is not shown.

    Examples
    --------
    >>> typed("补贴 金额"), typed("519999198002030015")
    ('补贴金额', '…')
    """
    return _NUMBER.sub("…", re.sub(r"\s+", "", text))[:_LONGEST]
