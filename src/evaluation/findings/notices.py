"""Notices on earlier findings: what was corrected or withdrawn, why and when."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from evaluation.errors import PlanError
from evaluation.plan import POLICIES, load_toml

FILE = "notices.toml"
KINDS = ("corrected", "withdrawn")
ALL = "all"
_TEXTS = ("what_zh", "what_en", "why_zh", "why_en")


@dataclass(frozen=True)
class Notice:
    """A finding of an edition that no longer holds as it was published.

    Attributes
    ----------
    year, policy
        Which finding; ``all``: the whole edition.
    kind
        ``corrected`` or ``withdrawn``.
    on
        Day of the decision.
    what_zh, what_en, why_zh, why_en
        What is corrected, and why; without personal values.
    """

    year: int
    policy: str
    kind: str
    on: date
    what_zh: str
    what_en: str
    why_zh: str
    why_en: str

    @property
    def result_id(self) -> str:
        """Its id among the results: numbers in its text are bound to it."""
        return f"{self.year}.{self.policy}.notice.{self.on.isoformat()}"

    def as_result(self) -> dict:
        """Its texts, and what stands in its date."""
        day = f"{self.on.isoformat()} {self.on.year} {self.on.month} {self.on.day}"
        texts = {name: getattr(self, name) for name in _TEXTS}
        return texts | {"day": day, "edition": str(self.year), "table": "notice"}

    def concerns(self, policy: str) -> bool:
        """Whether the finding on a policy is meant."""
        return self.policy in (ALL, policy)

    def as_text(self) -> str:
        """One line for a manifest."""
        return f"{self.on.isoformat()} {self.policy} {self.kind}: {self.what_zh}{self.why_zh}"


def load_notices(reference: Path) -> list[Notice]:
    """Read ``notices.toml``, ordered by day; none where there is no such file.

    Raises
    ------
    PlanError
        Says which notice lacks what.
    """
    path = reference / FILE
    if not path.is_file():
        return []
    rows = load_toml(path).get("notice", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PlanError(f"{FILE}：每一条写作 [[notice]]，两层方括号。")
    found = [_read_notice(number, row) for number, row in enumerate(rows, start=1)]
    ids = [notice.result_id for notice in found]
    again = next((n for n, name in enumerate(ids) if name in ids[:n]), None)
    if again is not None:
        raise PlanError(
            f"{FILE} 第{again + 1}条：同一年版、同一政策、同一天已有一条，请合并成一条。"
        )
    return sorted(found, key=lambda notice: (notice.on, notice.year, notice.policy))


def _read_notice(number: int, row: dict) -> Notice:
    problems = []
    if type(row.get("year")) is not int:
        problems.append("year 应是年份，如 2023")
    if row.get("policy") not in (*POLICIES, ALL):
        problems.append(f"policy 应是 {'、'.join((*POLICIES, ALL))} 之一")
    if row.get("kind") not in KINDS:
        problems.append("kind 应是 corrected（更正）或 withdrawn（撤回）")
    if type(row.get("on")) is not date:
        problems.append("on 应是日期，如 2025-03-01，不加引号")
    texts = [name for name in _TEXTS if not str(row.get(name, "")).strip()]
    if texts:
        problems.append(f"缺少 {'、'.join(texts)}")
    unknown = sorted(set(row) - set(Notice.__dataclass_fields__))
    if unknown:
        problems.append(f"不认识 {'、'.join(unknown)}")
    if problems:
        raise PlanError(f"{FILE} 第{number}条：{'；'.join(problems)}。")
    return Notice(**row)
