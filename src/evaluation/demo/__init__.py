"""Demonstration ledgers: invented people, known effects, planted defects."""
