"""Reference data as the cleaning needs them: headings, words, places, rules, prefixes."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.ledgers import identity, places, values
from evaluation.ledgers.headings import Aliases, load_aliases
from evaluation.ledgers.programmes import Rules, load_rules
from evaluation.ledgers.text_files import read_reference
from evaluation.plan import load_district


@dataclass(frozen=True)
class Reference:
    """Reference data and the pseudonyms, read once per run."""

    aliases: Aliases
    rules: Rules
    words: dict[str, dict[str, str]]
    places: places.Gazetteer
    prefixes: tuple[str, ...]
    pseudonyms: identity.Pseudonymiser


def load_reference(reference: Path, key: bytes) -> Reference:
    """Read headings, words, places and the prefixes that need no remark."""
    table = read_reference(reference / "words.csv")
    words = {
        column: dict(zip(group["word"].map(values.clean_text), group["value"], strict=True))
        for column, group in table.groupby("column")
    }
    district = load_district(reference)["district"]
    prefixes = (*district["expected_prefixes"], district["demonstration_prefix"])
    gazetteer = places.load_places(reference)
    return Reference(
        aliases=load_aliases(reference),
        rules=load_rules(reference),
        words=words,
        places=gazetteer,
        prefixes=prefixes,
        pseudonyms=identity.Pseudonymiser(key),
    )
