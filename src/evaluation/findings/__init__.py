"""Findings: disclosure control, figures, and the page for the consultative conference."""
