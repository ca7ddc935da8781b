"""Which rows are linked to a person, which are not, and what that may do to the estimates.

As Gilbert et al. (2018, GUILD, J. Public Health 40:191) ask of whoever uses linked data: link
rates by source and group, who is lost, and how far the results may be off.
"""

import numpy as np
import pandas as pd

from evaluation.ledgers.schema import ACCOUNTED
from evaluation.panel.definitions import count_people
from evaluation.panel.linkage import WEAK
from evaluation.panel.timing import entering_rows
from evaluation.plan import POLICIES

BOUNDS = {
    "lost": (
        "没有对应到人的参加者，占全部参加者",
        "Participants linked to nobody, as a share of all",
    ),
    "diluted": (
        "他们若都站在可比人员中，至多占可比人员",
        "If all of them stood in the comparison, their share of it",
    ),
    "weak": (
        "只凭较弱信息对应的参加者，占已对应的",
        "Participants linked by a weak pass, as a share of the linked",
    ),
    "register": (
        "就业登记对应率不同，使参加者的就业率相对偏低（负为偏高）",
        "How much lower employment of participants looks as fewer of their spells are linked",
    ),
}
RATES = {
    "no_number_rate": ("n_no_number", "n_rows"),
    "weak_rate": ("n_weak", "n_rows"),
    "unlinked_rate": ("n_unlinked", "n_rows"),
}
_COUNTS = ["n_rows", "n_no_number", "n_weak", "n_unlinked"]
_AGES = {"under_35": (0, 34), "35_44": (35, 44), "45_54": (45, 54), "55_over": (55, 150)}


def tabulate_links(ledgers: dict, persons: pd.DataFrame, edition: int) -> pd.DataFrame:
    """Count rows, and those not linked, in all and by what the rows themselves say.

    Groups: ``township``, ``sex``, ``age_group`` (in the edition's year), ``result``,
    ``amount`` (below the ledger's median, or not), and of roster and register
    ``participant`` (in any policy; see `find_shares`).

    Parameters
    ----------
    ledgers, persons
        Of the panel.

    Returns
    -------
    pandas.DataFrame
        Key ``ledger, group, level`` (group and level ``all``: the whole ledger):
        ``n_rows``, ``n_no_number`` (without a usable number), of these ``n_weak`` (linked by
        a pass of `linkage.WEAK`) and ``n_unlinked``, each with its rate, ``result_id``.
    """
    participants, tables = _list_participants(persons), []
    for ledger, rows in ledgers.items():
        marks = _mark_rows(rows)
        levels = _find_levels(rows, ledger, edition)
        tables += [_add_up(level, marks, ledger, name) for name, level in levels.items()]
        if ledger in ("roster", "register"):
            shares = find_shares(rows, find_namesakes(ledgers, ledger), participants)
            theirs = np.round(shares @ marks)
            cells = pd.DataFrame({"yes": theirs, "no": marks.sum() - theirs}, marks.columns).T
            tables.append(cells.assign(ledger=ledger, group="participant"))
    table = pd.concat(tables).rename_axis("level").reset_index()
    table = table[table["n_rows"] > 0].astype(dict.fromkeys(_COUNTS, "int64"))
    for rate, (count, rows) in RATES.items():
        table[rate] = table[count] / table[rows]
    names = ["ledger", "group", "level"]
    table["result_id"] = f"{edition}.linkage." + table[names].agg(".".join, axis=1)
    return table[["result_id", *names, *_COUNTS, *RATES]]


def _mark_rows(rows):
    """What is counted: one column each, 1 where a row belongs."""
    way, loose = rows["link_pass"], rows["person_id"].isna()
    other = (way != "number").fillna(True)
    marks = zip(_COUNTS, (1, other, way.isin(WEAK), loose), strict=True)
    return pd.DataFrame(dict(marks), rows.index).astype("float64")


def _add_up(level, marks, ledger, group):
    codes, names = pd.factorize(level.fillna("unknown"), sort=True)
    sums = {name: np.bincount(codes, marks[name], len(names)) for name in marks}
    return pd.DataFrame(sums, names).assign(ledger=ledger, group=group)


def _find_levels(rows, ledger, edition):
    """By group the level of each row; only what the ledger holds."""
    levels = {"all": pd.Series("all", rows.index)}
    for column in ("township", "sex", "result"):
        if column in rows and rows[column].notna().any():
            levels[column] = rows[column]
    if "birth_year" in rows:
        age = edition - rows["birth_year"].astype("float64")
        inside = {name: age.between(*ends) for name, ends in _AGES.items()}
        levels["age_group"] = pd.Series(None, rows.index, dtype="str").case_when(
            [(where, name) for name, where in inside.items()]
        )
    amount = rows[ACCOUNTED[ledger]] if ledger in ACCOUNTED else pd.Series(dtype="float64")
    if amount.notna().any():
        upper = pd.Series(np.where(amount < amount.median(), "lower", "upper"), rows.index)
        levels["amount"] = upper.mask(amount.isna())
    return levels


def _list_participants(persons):
    entered = persons[[f"{policy}_on" for policy in POLICIES]].notna().any(axis=1)
    return persons.loc[entered, "person_id"]


def find_namesakes(ledgers: dict, ledger: str) -> pd.DataFrame:
    """List the persons whose name sounds like that of a row without a person.

    Returns
    -------
    pandas.DataFrame
        Key ``pinyin_key, person_id``.
    """
    sounds = ledgers[ledger].loc[ledgers[ledger]["person_id"].isna(), "pinyin_key"].dropna()
    named = [
        rows.loc[rows["pinyin_key"].isin(sounds.unique()), ["pinyin_key", "person_id"]]
        for rows in ledgers.values()
    ]
    return pd.concat(named).dropna().drop_duplicates()


def find_shares(
    rows: pd.DataFrame, namesakes: pd.DataFrame, participants: pd.Series
) -> np.ndarray:
    """Say how likely each row of a ledger is a participant's.

    A linked row is or is not; any other to the share of participants among the persons
    whose name sounds the same, since nothing else is known of all such rows, and not at all
    where nobody has such a name.

    Parameters
    ----------
    namesakes
        As returned by `find_namesakes`.
    participants
        ``person_id``.

    Returns
    -------
    numpy.ndarray
        One per row.
    """
    shares = rows["person_id"].isin(participants).to_numpy(dtype="float64")
    mine = namesakes["person_id"].isin(participants)
    share = mine.groupby(namesakes["pinyin_key"]).mean()
    loose = rows["person_id"].isna().to_numpy()
    share = share.reindex(rows.loc[loose, "pinyin_key"]).to_numpy(dtype="float64")
    shares[loose] = np.nan_to_num(share)
    return shares


def bound_effects(
    ledgers: dict,
    persons: pd.DataFrame,
    years: pd.DataFrame,
    n_comparison: dict[str, int],
    plan: dict,
    edition: int,
) -> pd.DataFrame:
    """Bound what linkage may do to the estimates of each policy.

    ``lost``, :math:`p`: the effect on all participants lies within :math:`p` times the
    difference between the lost and the linked of the effect on the linked (Horowitz and
    Manski 1995, Econometrica 63:281); with effects from −1 to 1 by at most
    :math:`p(1 + |ATT|)`. ``diluted``, :math:`m`: participants who stand as untreated
    shrink a difference of means to :math:`(1 - m)` of itself (Aigner 1973, J. Econometrics
    1:49; Lewbel 2007, Econometrica 75:537, with one-sided error), so by at most :math:`m`.
    ``weak``: the same for the treated if every weak link were wrong. ``register``: an
    unlinked spell looks like no work, so that employment :math:`e` is seen as
    :math:`(1 - q)e`; with :math:`q_1, q_0` the shares of unlinked spells of participants
    and others the difference of means moves by :math:`-(q_1 - q_0)e` (Bound, Brown and
    Mathiowetz 2001, Handbook of Econometrics 5, sec. 2.5: misreported binary outcomes).

    Parameters
    ----------
    ledgers, persons, years
        Of the panel.
    n_comparison
        By policy the number of comparison persons.

    Returns
    -------
    pandas.DataFrame
        Key ``policy, bound``: ``value`` (a fraction), ``result_id``, labels. From 1 to
        ``min_count`` − 1 persons count as ``min_count`` − 1: still a bound, and it tells
        nobody's number.
    """
    rows, least = [], plan["disclosure"]["min_count"] - 1
    register, namesakes = ledgers["register"], find_namesakes(ledgers, "register")
    loose = register["person_id"].isna().to_numpy()
    outcome = years.loc[years["year"] == edition, plan["outcomes"]["primary"]].mean()
    for policy, compared in n_comparison.items():
        everybody = count_people(entering_rows(policy, ledgers[policy]))
        entered = persons[persons[f"{policy}_on"].notna()]
        lost, weak = everybody - len(entered), int(entered["link_pass"].isin(WEAK).sum())
        lost, weak = (max(n, least) if n > 0 else 0 for n in (lost, weak))
        theirs = find_shares(register, namesakes, entered["person_id"])
        unlinked = [_divide(w @ loose, w.sum()) for w in (theirs, 1 - theirs)]
        values = {
            "lost": _divide(lost, everybody),
            "diluted": _divide(lost, compared),
            "weak": _divide(weak, len(entered)),
            "register": (unlinked[0] - unlinked[1]) * outcome,
        }
        rows += [
            (f"{edition}.linkage.{policy}.{bound}", policy, bound, values[bound], zh, en)
            for bound, (zh, en) in BOUNDS.items()
        ]
    columns = ["result_id", "policy", "bound", "value", "label_zh", "label_en"]
    return pd.DataFrame(rows, columns=columns)


def _divide(part, whole):
    return part / whole if whole else np.nan
