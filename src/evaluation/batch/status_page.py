"""``data/runs/status.html``: how every run stands, with links; one file, no script.

It stands under ``data/``, since messages of failures may quote a ledger.
"""

import os
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from evaluation.batch.receipts import Run, executed_path, failed_path
from evaluation.batch.status import WORDS, Standing, last_run, list_axes
from evaluation.batch.summary import group_reasons, say_state
from evaluation.files import write_whole
from evaluation.paths import PAGES, Folders

_PAGE = Template("""<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>运行状态</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none';style-src 'unsafe-inline'">
<style>
body{font:16px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;margin:2rem;
color:#1b2328;background:#fff}
.wide{overflow-x:auto}table{border-collapse:collapse}
th,td{border:1px solid #c5ced4;padding:.3rem .6rem;text-align:left;vertical-align:top;
white-space:nowrap}
th{background:#f2f5f6}small{color:#4f5b64}a{color:#0e4f63}
.failed,.running{background:#fbe3df}.stale,.skipped{background:#fff3d6}
.waiting{background:#fffaf0}.done{background:#e2f1e6}
pre{white-space:pre-wrap;background:#f7f7f7;padding:.6rem}
</style>
<h1>运行状态$mark</h1>
<p>$summary$last</p>
<div class="wide"><table><thead><tr><th scope="col">笔记本</th>$head</tr></thead>
<tbody>
$rows
</tbody></table></div>
$why$failures
</html>
""")


def write_status(folders: Folders, standings: list[Standing]) -> Path:
    """Write the page.

    Parameters
    ----------
    standings
        As `status.look` returns them.

    Raises
    ------
    TableError
        If the page is held open by another program.
    """
    text = render_status(folders, standings)
    page = folders.runs / "status.html"
    return write_whole(page, lambda draft: draft.write_text(text, encoding="utf-8"))


def render_status(folders: Folders, standings: list[Standing]) -> str:
    """The page as text; links are relative to its folder."""
    years, names = list_axes([standing.run for standing in standings])
    at = {(s.run.output_name, s.run.year): s for s in standings}
    rows = [
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(_cell(folders, at.get((name, year))) for year in years)
        + "</tr>"
        for name in names
    ]
    last = last_run(folders, [standing.run for standing in standings])
    return _PAGE.substitute(
        mark="（示范数据）" if folders.is_demo else "",
        summary=say_state(standings),
        last=f"最近一次运行：{last}。" if last else "",
        head="".join(f'<th scope="col">{_edition(folders, year)}</th>' for year in years),
        rows="\n".join(rows),
        why=_list_reasons(standings),
        failures=_list_failures(folders, standings),
    )


def _edition(folders: Folders, year: int | None) -> str:
    if year is None:
        return "全部"
    words = {"zh": "结论页", "en": "English"}
    links = [
        _link(folders, folders.edition(year) / name, words[language])
        for language, name in PAGES.items()
        if (folders.edition(year) / name).is_file()
    ]
    return "<br>".join([str(year), *links])


def _cell(folders: Folders, standing: Standing | None) -> str:
    if standing is None:
        return "<td></td>"
    parts = [WORDS[standing.state]]
    if standing.seconds is not None:
        parts.append(f"<small>{standing.seconds:.1f} 秒</small>")
    executed = executed_path(folders, standing.run)
    failed = failed_path(folders, standing.run)
    if executed.is_file():
        parts.append(_link(folders, executed, "笔记本"))
    if standing.state == "failed" and failed.is_file():
        parts.append(_link(folders, failed, "出错处"))
    why = escape("；".join(map(str, standing.reasons)))
    return f'<td class="{standing.state}" title="{why}">{" ".join(parts)}</td>'


def _list_reasons(standings: list[Standing]) -> str:
    found: dict[Run, tuple] = {s.run: s.reasons for s in standings if s.reasons}
    items = [f"<li>{escape(why)}：{escape(who)}</li>" for why, who in group_reasons(found)]
    return f"<h2>将要运行的和原因</h2><ul>{''.join(items)}</ul>" if items else ""


def _list_failures(folders: Folders, standings: list[Standing]) -> str:
    failed = [standing for standing in standings if standing.state == "failed"]
    items = [
        f"<h3>{escape(s.run.name)}</h3><pre>{escape(s.message)}</pre>"
        + (
            f"<p>{_link(folders, failed_path(folders, s.run), '打开运行到出错处的笔记本')}</p>"
            if failed_path(folders, s.run).is_file()
            else ""
        )
        for s in failed
    ]
    return f"<h2>失败</h2>{''.join(items)}" if items else ""


def _link(folders: Folders, target: Path, words: str) -> str:
    place = Path(os.path.relpath(target, folders.runs)).as_posix()
    return f'<a href="{quote(place)}">{escape(words)}</a>'
