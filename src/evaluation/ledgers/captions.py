"""Lines of a sheet that are no rows: titles, units, who reports, totals, signatures, notes."""

import re
import unicodedata

_NOT_A_ROW = re.compile(
    r"^((合计|小计|总计|共计|累计|本页合计|本页小计|填表人|制表人?|审核人?|复核人?|负责人"
    r"|单位负责人|填报人|经办人|分管领导|主要领导|联系人|联系电话"
    r"|(填报|报送|编报|填表|制表|上报)单位|(填表|填报|制表|报送|打印)(日期|时间)"
    r"|填[报表]说明|说明|备注|注)([:( 0-9.]|金额|人数|户数|$)"
    r"|本表|此表|以上)"
)
LIKE_A_NUMBER = re.compile(r"\d{17}[\dXx]|\d{15}")
_TOTAL = re.compile(r"(合计|小计|总计|共计)([:(]|金额|人数|户数|$)")
_UNIT_LINE = re.compile(
    r"单位\s*[:(]?\s*(?:[人户个次名天笔]+\s*[、,/;和]?\s*)*(?:人民币)?(万元|元)(?![\u4e00-\u9fff])"
)
_LABEL = r"(?:填报|报送|编报|填表|上报|申报|制表)单位(?:名称)?\s*(?:\((?:公|盖)?章\))?\s*:"
_REPORTER = re.compile(rf"{_LABEL}\s*(.*)")
_OTHER_LABEL = re.compile(
    r"\s{2,}|[,;,。]|\(|(?:^|\s)?(?:金额|计量)?单位(?=\s*:)|填[报表]|制表|审核|复核|负责人|经办|联系"
    r"|报送|上报|日期|时间|年度|截至|截止|电话|第?\d+\s*页|\d{4}年"
)
_LONGEST = 40  # characters of an office's name
_MARKS = re.compile(r"[甲乙丙丁戊己庚辛壬癸]|[(①-⑳]?\d{1,2}\)?|栏次|列次|[A-Z]{1,2}")
_SECTION = re.compile(
    r"^[(]?[一二三四五六七八九十]+[)、.,]|^第[一二三四五六七八九十\d]+(部分|批)"
    r"|(镇|乡|街道|办事处|村|社区|台账|名单|名册|花名册|汇总表|一览表|情况表|明细表|登记表|统计表)$"
)


def as_text(cell) -> str:
    """A cell's text without what differs in nothing but width; other cells are no text."""
    return unicodedata.normalize("NFKC", cell).strip() if isinstance(cell, str) else ""


def is_filled(cell) -> bool:
    """Whether anything stands in a cell."""
    return cell is not None and cell != "" and bool(str(cell).strip())


def find_unit(lines: list[list]) -> str | None:
    """Unit of amounts as a line above a table states it: 单位：万元.

    Examples
    --------
    >>> find_unit([["贷款台账"], ["填报单位：元村", "", "单位：万元"]])
    '万元'
    """
    said = _UNIT_LINE.search(" ".join(as_text(cell) for row in lines for cell in row))
    return said.group(1) if said else None


def find_reporter(lines: list[list]) -> str:
    """Office that reports, as a line above or below a table names it; else nothing.

    The name ends where another label begins, so that nobody who signs is taken for it.

    Examples
    --------
    >>> find_reporter([["填报单位（盖章）：罗江镇人民政府  填表人：李某"]])
    '罗江镇人民政府'
    >>> find_reporter([["填表单位：", "", "双龙镇", "填表人：", "王某"]])
    '双龙镇'
    """
    for row in lines:
        texts = [text for text in map(as_text, row) if text]
        for place, text in enumerate(texts):
            found = _REPORTER.search(text)
            if not found:
                continue
            named = found[1] or (texts[place + 1] if place + 1 < len(texts) else "")
            named = _OTHER_LABEL.split(named, maxsplit=1)[0].strip(" :_-")
            if named and len(named) <= _LONGEST and ":" not in named:
                return named
    return ""


def is_no_row(cells: list, number) -> bool:
    """Whether a row below the heading is a total, a signature or a note.

    The first filled cell says so (of a total, perhaps the second, after a number in the
    list), nothing like a resident number stands in its place (signatures may), and no whole
    one anywhere: a person whose name begins with such a word keeps the row.
    """
    if re.search(r"[\d*]{4}", str(number)):
        return False
    texts = [re.sub(r"\s+", "", as_text(c) or str(c)) for c in cells if is_filled(c)][:2]
    if not texts:
        return False
    counted = texts[0].replace(".", "").isdigit()
    said = _NOT_A_ROW.match(texts[0]) or (counted and _TOTAL.match(texts[-1]))
    return bool(said) and not any(LIKE_A_NUMBER.search(str(cell)) for cell in cells)


def is_numbering(cells: list) -> bool:
    """Whether a row only numbers the columns: 1 2 3 …, 甲 乙 丙, 栏次.

    Examples
    --------
    >>> is_numbering(["甲", "乙", 1.0, 2.0, 3.0]), is_numbering([1.0, "王强", "男"])
    (True, False)
    """
    marks = [f"{c:g}" if isinstance(c, float | int) else as_text(c) for c in cells]
    marks = [mark for mark in marks if mark]
    numbers = [int(mark) for mark in marks if mark.isdigit()]
    return (
        len(marks) >= 3
        and all(map(_MARKS.fullmatch, marks))
        and len(set(marks)) == len(marks)
        and (len(numbers) < 2 or numbers == list(range(numbers[0], numbers[0] + len(numbers))))
        and (not numbers or numbers[0] <= 2 or len(numbers) < len(marks))
    )


def is_title(cell, covered: int) -> bool:
    """Whether a row's only filled cell is a title within the table.

    Parameters
    ----------
    covered
        How many further cells it is merged over, to the right: a title stands across the
        table, or names a section.
    """
    text = as_text(cell)
    return bool(text) and (covered >= 2 or bool(_SECTION.search(text)))


def is_caption(cells: list) -> bool:
    """Whether a line above a heading is a title, says who reports in which unit, or is blank.

    Examples
    --------
    >>> is_caption(["二、贷款台账", ""]), is_caption(["填报单位：罗江镇", "", "单位：元"])
    (True, True)
    >>> is_caption(["王强", "", "罗江镇", "务农"])
    False
    """
    filled = [cell for cell in cells if is_filled(cell)]
    texts = [as_text(cell) for cell in filled]
    if not texts:
        return True
    if not all(texts) or len(texts) > 6:
        return False
    if re.search(r":|^\(.*\)$", texts[0]) or is_no_row(cells, ""):
        return True
    return len(texts) == 1 and (len(texts[0]) > 4 or bool(_SECTION.search(texts[0])))
