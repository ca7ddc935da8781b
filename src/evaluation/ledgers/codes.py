"""Marks in codes, apart from what reads ledgers: the page knows them too and loads little."""

UNCONFIRMED = "unconfirmed:"  # in front of an old township whose present unit nobody knows
