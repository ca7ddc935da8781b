"""Villages of the district, from the reference data."""

from pathlib import Path

import pandas as pd

from evaluation.errors import PlanError
from evaluation.ledgers.text_files import read_reference


def load_villages(reference: Path) -> pd.DataFrame:
    """Read the villages whose way from an old to a present township is known.

    Returns
    -------
    pandas.DataFrame
        Key: the index. ``village`` (as people write it), ``township_old`` (before the
        mergers), ``township`` and ``code`` (now), ``place`` (0, 1, … in order of code).

    Raises
    ------
    PlanError
        If the file is missing or knows no village.
    """
    path = reference / "places.csv"
    if not path.is_file():
        raise PlanError(f"缺少参考文件 places.csv（应在 {reference} 中）。")
    places = read_reference(path)
    known = places["village"].ne("") & places["code"].ne("") & places["from"].eq("")
    villages = places.loc[known, ["village", "township_old", "township", "code"]]
    if villages.empty:
        raise PlanError("参考文件 places.csv 中没有可用的村（社区）。")
    short = villages["village"].str.replace("居民委员会", "").str.replace("民委员会", "")
    villages = villages.assign(village=short).drop_duplicates(["village", "township_old"])
    villages["place"] = villages["code"].rank(method="dense").astype(int) - 1
    return villages.reset_index(drop=True)
