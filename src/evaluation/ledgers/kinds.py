"""What can be wrong with a cell or a row: the closed list of kinds, in the clerk's words."""

from dataclasses import dataclass

SET_ASIDE, FLAGGED, REPAIRED = "set_aside", "flagged", "repaired"


@dataclass(frozen=True)
class Kind:
    """One thing that can be wrong with a cell or a row, in the clerk's words.

    Attributes
    ----------
    state
        ``set_aside``: the row is kept out; ``flagged``: the row stays, the cell does
        not count (where a rule is broken: it counts, and somebody should look);
        ``repaired``: nothing was lost and nothing is to be done.
    reason, advice
        What is wrong and what to do, in Chinese.
    turn
        Who is to act: ``office`` (who filled in the ledger), ``programme`` (who runs
        the programme: the rule is to be looked up), ``centre`` (who keeps the reference
        tables), or nobody.
    """

    state: str
    reason: str
    advice: str
    turn: str = "office"


KINDS = {
    "duplicate": Kind(
        SET_ASIDE,
        "与同一文件中的另一行完全相同",
        "核实后删除重复行；确为两笔的请补充区别（如日期）",
    ),
    "person_missing": Kind(SET_ASIDE, "既无身份证号码也无姓名", "补填身份证号码和姓名"),
    "key_date_missing": Kind(SET_ASIDE, "关键日期为空，无法判断先后", "补填日期，至少写明年月"),
    "key_date_unreadable": Kind(
        SET_ASIDE,
        "关键日期无法识别，无法判断先后",
        "按“2023-05-06”的格式改写，注意月、日是否存在",
    ),
    "number_missing": Kind(FLAGGED, "身份证号码为空", "补填身份证号码"),
    "number_damaged": Kind(
        FLAGGED, "Excel 已损坏该号码（末几位丢失）", "先把该列设为“文本”格式，再按证件重新录入"
    ),
    "number_masked": Kind(FLAGGED, "身份证号码被遮盖", "补填完整号码"),
    "number_length": Kind(FLAGGED, "身份证号码不是15位或18位", "按证件核对"),
    "number_birth": Kind(FLAGGED, "身份证号码中的出生日期不存在", "按证件核对"),
    "number_checksum": Kind(FLAGGED, "身份证号码校验位不符，有录入错误", "按证件核对"),
    "number_prefix": Kind(
        FLAGGED, "身份证号码前六位不是本地常见代码（仅提示，照常使用）", "外地迁入者无须修改"
    ),
    "number_15": Kind(REPAIRED, "15位身份证号码，已换算为18位", "", ""),
    "number_typed": Kind(REPAIRED, "身份证号码中有空格、全角、小写x等，已整理", "", ""),
    "number_shared": Kind(
        FLAGGED,
        "同一号码在台账中对应不同姓名，可能填了家人的号码（以号码为准）",
        "按证件核对号码和姓名",
    ),
    "person_twice": Kind(
        FLAGGED,
        "同一人在同一次采集中有两行而内容不同（以靠后的一行为准）",
        "核实后只保留正确的一行",
    ),
    "name_missing": Kind(FLAGGED, "姓名为空", "补填姓名"),
    "name_spaces": Kind(REPAIRED, "姓名中有空格，已去除", "", ""),
    "sex_mismatch": Kind(FLAGGED, "性别与身份证号码不符（以号码为准）", "按证件核对"),
    "birth_mismatch": Kind(FLAGGED, "出生日期与身份证号码不符（以号码为准）", "按证件核对"),
    "credit_code": Kind(FLAGGED, "统一社会信用代码不是18位或校验位不符", "按营业执照核对"),
    "date_unreadable": Kind(
        FLAGGED, "日期无法识别", "按“2023-05-06”的格式改写，注意月、日是否存在"
    ),
    "date_order": Kind(FLAGGED, "结束日期早于开始日期", "核对两个日期"),
    "date_future": Kind(FLAGGED, "日期晚于台账收到的年份", "核对年份"),
    "amount_unreadable": Kind(FLAGGED, "金额或数字无法识别", "只填数字，单位写在表头"),
    "amount_unit": Kind(
        FLAGGED, "单元格自带的单位与本列单位不同（按单元格的单位计）", "全列统一单位"
    ),
    "amount_mixed": Kind(
        FLAGGED,
        "金额大小与本列其他行相差悬殊，疑似元与万元混用（这一格不计）",
        "核对单位，全列统一",
    ),
    "amount_commas": Kind(REPAIRED, "金额中有千分位逗号，已去除", "", ""),
    "amount_merged": Kind(
        FLAGGED, "金额与上一行合并在一格（只计一次，记在第一行）", "拆开合并的单元格，各行各填"
    ),
    "cell_filled": Kind(REPAIRED, "合并单元格，已按所合并的内容填入", "", ""),
    "place_unknown": Kind(
        FLAGGED, "乡镇名称不在参考名录中", "核对乡镇名称；名称无误的，请补充 places.csv"
    ),
    "place_unconfirmed": Kind(
        FLAGGED, "只知合并前的乡镇，不能确定现属哪里（待核）", "补填村（社区）名称"
    ),
    "place_old": Kind(REPAIRED, "使用合并前的乡镇名称，已按村换算为现在的乡镇", "", ""),
    "word_unknown": Kind(FLAGGED, "所填内容不在已知选项中", "改用表头说明中的选项"),
    "blank": Kind(FLAGGED, "空白，视为不详（不等于“否”）", "补填“是”或“否”"),
    # Rules of the programmes: see `programmes`, which puts the rule and its source in words.
    "rule_loan_cap": Kind(
        FLAGGED, "贷款金额高于放款当日的上限", "核对金额和放款日", "programme"
    ),
    "rule_loan_years": Kind(FLAGGED, "贷款期限长于规定", "核对放款日和到期日", "programme"),
    "rule_loan_times": Kind(
        FLAGGED, "同一人的贷款次数多于规定", "核对此前各次贷款", "programme"
    ),
    "rule_subsidy_amount": Kind(FLAGGED, "补贴金额与当年标准不同", "核对金额", "programme"),
    "rule_second_subsidy": Kind(
        FLAGGED, "一次性补贴，而同一人此前已有一笔", "核对此前的补贴", "programme"
    ),
    "rule_paid_before_registration": Kind(
        FLAGGED, "拨付日期早于市场主体的登记日期", "核对两个日期", "programme"
    ),
    "rule_applied_after_closing": Kind(
        FLAGGED, "申请时市场主体已经注销", "核对申请日期和注销日期", "programme"
    ),
    "rule_post_years": Kind(
        FLAGGED,
        "岗位期限长于规定，且未到临近退休的年龄",
        "核对上岗、退岗和协议日期",
        "programme",
    ),
    "rule_third_post": Kind(
        FLAGGED, "同一人的公益性岗位安置次数多于规定", "核对此前各次安置", "programme"
    ),
}
