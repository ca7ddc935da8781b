"""Known headings: which column of which ledger each of them stands for."""

import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import LedgerError
from evaluation.ledgers.declarations import CLEAN, TYPED
from evaluation.ledgers.text_files import read_reference

LEDGERS = {
    "roster": "返乡农民工实名制台账",
    "register": "就业登记",
    "subsidy": "返乡创业补贴",
    "loan": "创业担保贷款",
    "post": "公益性岗位",
}
_LONGEST = 60  # characters of a heading
# A name or number so qualified is not the person's own.
_SOMEBODY_ELSE = re.compile(
    r"配偶|父亲|母亲|父母|子女|户主|监护人|担保人|反担保|法人|法定代表|紧急联系"
)
_FIELDS = ["ledger", "column", "heading", "required", "unit", "note"]


@dataclass(frozen=True)
class Aliases:
    """The table of headings.

    Attributes
    ----------
    columns
        By ledger: column by heading as it is matched.
    required
        By ledger: usual heading by column that must be there.
    units
        By ledger: unit by column where neither heading nor sheet states one.
    """

    columns: dict[str, dict[str, str]]
    required: dict[str, dict[str, str]]
    units: dict[str, dict[str, str]]

    @functools.cached_property
    def known(self) -> set[str]:
        """All known headings, as they are matched."""
        return set().union(*self.columns.values())

    def knows(self, cell) -> bool:
        """Whether a cell's text is a known heading; quick, since most cells are none."""
        if not isinstance(cell, str) or not 0 < len(cell) <= _LONGEST:
            return False
        if cell in self.known:
            return True
        chinese = min(cell) >= "\u4e00" and max(cell) <= "\u9fff"
        if cell.isdigit() or (chinese and cell[-1] != "元"):
            return False
        return any(form in self.known for form in forms_of(cell))


def load_aliases(reference: Path) -> Aliases:
    """Read ``columns.csv``.

    Raises
    ------
    LedgerError
        If a row names no ledger or column there is, or if one heading stands for two
        columns of the same ledger.
    """
    table = read_reference(reference / "columns.csv").reindex(columns=_FIELDS, fill_value="")
    aliases = Aliases(*({ledger: {} for ledger in LEDGERS} for _ in range(3)))
    for row in table.itertuples():
        key, known = normalise(row.heading), CLEAN.get(row.ledger, {})
        if not key:
            continue
        if not known or row.column not in {*known, *TYPED}:
            where = f"columns.csv 第{row.Index + 2}行（{row.heading}）"
            raise LedgerError(f"{where}：没有台账“{row.ledger}”或其中的列“{row.column}”。")
        if aliases.columns[row.ledger].setdefault(key, row.column) != row.column:
            raise LedgerError(f"columns.csv 中“{row.heading}”对应同一台账的两列。")
        if row.required:
            aliases.required[row.ledger][row.column] = row.heading
        if row.unit:
            aliases.units[row.ledger][row.column] = row.unit
    return aliases


def normalise(heading) -> str:
    """Reduce a heading to what is matched: NFKC, no white space, no brackets.

    Examples
    --------
    >>> normalise("村（社区）\\n")
    '村社区'
    """
    text = unicodedata.normalize("NFKC", "" if heading is None else str(heading))
    return re.sub(r"[\s()\[\]{}<>《》【】〔〕*:_\"'“”]", "", text).lower()


def names_somebody_else(heading: str) -> bool:
    """Whether a heading is about another person than the row's: a spouse, a guarantor."""
    return bool(_SOMEBODY_ELSE.search(heading))


@functools.lru_cache(4096)
def forms_of(heading: str) -> list[str]:
    """Forms of a heading in the order in which they are looked up."""
    if not heading or len(heading) > _LONGEST:
        return []
    text = unicodedata.normalize("NFKC", heading)
    without = re.sub(r"[(\[【][^()\[\]【】]*[)\]】]", "", text)
    without = text if names_somebody_else(text) else without
    bare = re.sub(r"[,、/](万元|元)$|(万元|元)$", "", normalise(text))
    return [form for form in (normalise(text), normalise(without), bare) if form]
