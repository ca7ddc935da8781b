"""Whether a run is up to date, and if not, why: decided from receipts alone.

Nothing is run and nothing is written here; neither pandas nor papermill is needed, so that
a batch in which nothing changed ends at once.
"""

from dataclasses import dataclass
from pathlib import Path

from evaluation.batch import graph
from evaluation.batch.inputs import FORM, UNSURE, current_inputs
from evaluation.batch.receipts import Run, read_receipt, read_report
from evaluation.files import file_hash
from evaluation.paths import Folders

_WORDS = {
    "never": "还没有运行过",
    "failed": "上次没有完成",
    "killed": "上次运行中断了",
    "old": "凭据是旧版程序写的，不知道它读过什么",
    "parameters": "参数变了",
    "forced": "要求全部重算",
    "product_gone": "它的结果 {} 不在了",
    "product_changed": "它的结果 {} 被改动过",
    "input_changed": "{} 变了",
    "input_added": "新增 {}",
    "input_gone": "{} 不在了",
    "input_unsure": "{} 在运行期间被改动",
    "upstream": "要看 {} 重新运行的结果",
}


@dataclass(frozen=True, order=True)
class Reason:
    """Why a run is not up to date.

    Attributes
    ----------
    kind
        One of the keys of the sentences above.
    what
        What changed, in words; empty where there is nothing to name.
    """

    kind: str
    what: str = ""

    def __str__(self) -> str:
        return _WORDS[self.kind].format(self.what)


@dataclass(frozen=True)
class Outlook:
    """What a run would do if the batch were started now.

    Attributes
    ----------
    state
        ``fresh`` (up to date), ``stale`` (would run), ``waiting`` (would run if what it
        reads comes out differently).
    reasons
        Empty only where it is fresh.
    """

    state: str
    reasons: tuple[Reason, ...] = ()


def find_reasons(folders: Folders, run: Run) -> tuple[Reason, ...]:
    """Say why a run is not up to date; empty if it is.

    What it reads of other runs counts as it stands now: whether those will run again is
    another question (`survey`).
    """
    receipt = read_receipt(folders, run)
    if receipt is None:
        report = read_report(folders, run)
        if "error" in report:
            return (Reason("failed"),)
        return (Reason("killed" if "began" in report else "never"),)
    if receipt.get("form") != FORM:
        return (Reason("old"),)
    found = [] if receipt["parameters"] == run.parameters else [Reason("parameters")]
    for name, expected in receipt["products"].items():
        path = folders.data / name  # data/ exists wherever a receipt does
        if not path.is_file():
            found.append(Reason("product_gone", path.name))
        elif file_hash(path) != expected:
            found.append(Reason("product_changed", path.name))
    return (*found, *_compare(run, receipt["inputs"], current_inputs(folders, run, receipt)))


def survey(folders: Folders, runs: list[Run]) -> dict[Run, Outlook]:
    """Look at all runs of a batch, in its order: what would run, what may follow."""
    found: dict[Run, Outlook] = {}
    for run in runs:
        reasons = find_reasons(folders, run)
        read = graph.upstream(run, folders.notebooks) + graph.before(run, folders.notebooks)
        moving = [other for other in read if other in found and found[other].state != "fresh"]
        if reasons:
            found[run] = Outlook("stale", reasons)
        elif moving:
            reasons = tuple(Reason("upstream", name_beside(run, o)) for o in moving)
            found[run] = Outlook("waiting", reasons)
        else:
            found[run] = Outlook("fresh")
    return found


def name_beside(run: Run, other: Run) -> str:
    """Name another run as seen from a run: without the year that both share."""
    same = other.year in (None, run.year)
    return other.output_name if same else f"上一版的 {other.output_name}"


def _compare(run: Run, recorded: dict, now: dict) -> list[Reason]:
    found = []
    for label in sorted(recorded.keys() | now.keys()):
        then, current = recorded.get(label), now.get(label)
        if then == UNSURE:
            kind = "input_unsure"
        elif then == current:
            continue
        elif then is None:
            kind = "input_added"
        else:
            kind = "input_gone" if current is None else "input_changed"
        found.append(Reason(kind, _describe(run, label)))
    return list(dict.fromkeys(found))


def _describe(run: Run, label: str) -> str:
    """Name an input for the person at the desk."""
    kind, _, name = label.partition(":")
    if kind == "run":
        year, _, output = name.rpartition(".")
        earlier = year and int(year) != run.year
        return f"{'上一版的 ' if earlier else ''}{output} 的结果"
    if kind in ("project", "product"):
        return Path(name).name
    if kind == "published":  # all its tables together: a hundred lines say no more
        return f"已公布的 {name.partition('/')[0]}"
    before = {"ledger": "台账 ", "key": "密钥 pseudonym.key"}
    return f"{before.get(kind, '')}{name}"
