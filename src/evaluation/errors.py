"""Errors that speak to the person at the desk."""


class EvaluationError(Exception):
    """What went wrong and what to do about it, in Chinese, for clerks and researchers.

    Everything the package raises on purpose derives from it; the command line
    prints its text without a traceback.
    """


class LedgerError(EvaluationError):
    """A file, sheet, row or column of a ledger cannot be read or understood.

    Parameters
    ----------
    message
        What is wrong and what to do, without any personal value.
    file, sheet
        Where; file is relative to the folder of the ledgers.
    row
        Row as the spreadsheet numbers it (1-based).
    column
        Heading as typed in the file.

    Examples
    --------
    >>> print(LedgerError("缺少“身份证号码”一列。", file="a.xlsx", sheet="台账", row=3))
    a.xlsx，工作表“台账”，第3行：缺少“身份证号码”一列。
    """

    def __init__(self, message, *, file=None, sheet=None, row=None, column=None):
        place = [str(file)] if file else []
        place += [f"工作表“{sheet}”"] if sheet else []
        place += [f"第{row}行"] if row else []
        place += [f"“{column}”列"] if column else []
        super().__init__(f"{'，'.join(place)}：{message}" if place else message)
        self.message, self.file, self.sheet = message, file, sheet
        self.row, self.column = row, column


class TableError(EvaluationError):
    """A table between two stages is missing, has a broken key or an old schema."""


class PlanError(EvaluationError):
    """The analysis plan or another reference file says something impossible."""


class EstimationError(EvaluationError):
    """A panel on which an estimate would be wrong or meaningless."""


class DisclosureError(EvaluationError):
    """Something about to be published could point to a person."""


class KernelError(EvaluationError):
    """A notebook's kernel died, hung or left before the notebook came to its end."""
