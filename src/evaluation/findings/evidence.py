"""Evidence beside the verdicts: gates, for whom it differs, what the results withstand."""

import pandas as pd


def subgroups(view) -> list[dict]:
    """For whom it differs: each split's two groups, and whether the difference is one.

    Only where a conclusion is possible, and the cells were large enough to be published.

    Returns
    -------
    list of dict
        ``policy``, ``groups`` (name, interval), ``p`` (adjusted) and ``differs``: ``yes``,
        ``perhaps`` (no definite verdict carries it) or ``no``; ``span`` rows of the policy
        begin here.
    """
    found = []
    for policy in view.order:
        if not view.concludes(policy):
            continue
        rows = [row for row in view.rows(f"subgroups_{policy}") if row["design"] == "published"]
        groups = [row for row in rows if row["term"] == "primary"]
        for row in (row for row in rows if row["term"] == "difference"):
            if pd.isna(row["p_adjusted"]):
                continue
            pair = _pair(row["subgroup"], groups)
            found.append(
                {
                    "policy": policy,
                    "groups": [
                        (
                            view.name(one["subgroup"]),
                            view.cell(one, "interval", "interval_more"),
                        )
                        for one in pair
                    ],
                    "p": view.cell(row, "p_adjusted", "p_value"),
                    "differs": _differs(view, policy, row),
                }
            )
    policies = [row["policy"] for row in found]
    for position, row in enumerate(found):
        first = policies.index(row["policy"]) == position
        row["span"] = policies.count(row["policy"]) if first else 0
    return found


def _pair(subgroup: str, groups: list[dict]) -> list[dict]:
    """The two groups that a difference compares: the first of the split, and the named one."""
    split, _, level = subgroup.partition("=")
    own = [row for row in groups if row["subgroup"].partition("=")[0] == split]
    named = [row for row in own if row["subgroup"] == subgroup] if level else own[1:2]
    return own[:1] + named


def _differs(view, policy: str, row: dict) -> str:
    if row["p_adjusted"] >= view.plan["gates"]["significance"]:
        return "no"
    return "perhaps" if view.verdict(policy) == "cannot_tell" else "yes"


def withstood(view) -> list[tuple]:
    """What each result withstands: question, why it is asked, and a cell per policy."""
    body = []
    results = {policy: view.primary(policy) for policy in view.concluded()}
    holds_zero = {
        policy: result.get("conf_low", 1) <= 0 <= result.get("conf_high", -1)
        for policy, result in results.items()
    }
    for key, words in view.words["withstands"].items():
        line = []
        for policy in view.order:
            if not view.concludes(policy):
                line.append(view.page["unknown"])
            elif not view.has_slots(policy, words["answer"]):
                line.append(view.page["not_done"])
            elif "zero" in words and (
                holds_zero[policy] or view.is_zero(policy, words["zero_if"])
            ):
                line.append(words["zero"])
            else:
                line.append(view.fill(policy, words["answer"]))
        body.append(
            (view.fill(None, words["question"]), view.fill(None, words["why"]), line, key)
        )
    return body


def gates(view) -> list:
    """State of each gate by policy; missing where nothing was judged."""
    states = {
        policy: _read_states(view, policy)
        for policy in view.order
        if view.verdict(policy) != "too_few"  # of so few persons a check tells nothing
    }
    return [
        (words, [states.get(policy, {}).get(gate) for policy in view.order])
        for gate, words in view.words["gates"].items()
    ]


def _read_states(view, policy: str) -> dict[str, str]:
    return {row["gate"]: row["passed"] for row in view.rows(f"checks_{policy}")}


def failed(view, policy: str, *, with_size: bool = False) -> list:
    """Why there is no conclusion: gates that were not passed, and on demand by how much.

    Empty under any other verdict: of too few persons a failed gate tells nothing.
    """
    if view.verdict(policy) != "do_not_conclude":
        return []
    states, found = _read_states(view, policy), []
    for gate, word in view.words["failures"].items():
        if states.get(gate) != "failed":
            continue
        size = view.words["failures_size"].get(gate)
        if with_size and size and view.has_slots(policy, size):
            word = view.page["failed_size"].format(word, size)
        found.append(view.fill(policy, word))
    return found
