"""The analysis plan and the other reference files that notebooks read."""

import hashlib
import tomllib
from pathlib import Path

from evaluation.errors import PlanError

POLICIES = ("subsidy", "loan", "post")


def load_toml(path: Path) -> dict:
    """Read one reference file.

    Raises
    ------
    PlanError
        If it is missing or not valid TOML; says where.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise PlanError(f"缺少参考文件 {path.name}（应在 {path.parent} 中）。") from None
    except tomllib.TOMLDecodeError as problem:
        raise PlanError(f"参考文件 {path.name} 有格式错误：{problem}。") from None


def load_plan(reference: Path) -> dict:
    """Read the analysis plan: everything that could be chosen after seeing results.

    Parameters
    ----------
    reference
        The folder ``data/reference``.

    Returns
    -------
    dict
        The tables of ``analysis_plan.toml``; shares are fractions, not points. Beside what
        is written, ``disclosure.coefficients``: how many coefficients the model of each
        policy has, its covariates and the constant.

    Raises
    ------
    PlanError
        If a policy has no horizon or no covariates.
    """
    plan = load_toml(reference / "analysis_plan.toml")
    for policy in POLICIES:
        settings = plan.get("policies", {}).get(policy, {})
        for needed in ("horizon", "covariates", "population", "time_zero"):
            if needed not in settings:
                raise PlanError(f"analysis_plan.toml 中 [policies.{policy}] 缺少 {needed}。")
    sizes = {name: len(own["covariates"]) + 1 for name, own in plan["policies"].items()}
    return plan | {"disclosure": plan.get("disclosure", {}) | {"coefficients": sizes}}


def plan_hash(reference: Path) -> str:
    """Fingerprint of the plan as written, printed in the findings (sha256, 12 digits)."""
    text = (reference / "analysis_plan.toml").read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(text).hexdigest()[:12]


def load_district(reference: Path) -> dict:
    """Read the district's name, code, cluster column, window of the register, office."""
    return load_toml(reference / "district.toml")
