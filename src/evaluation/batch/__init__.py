"""Editions × notebooks: what runs, in which order, why, and what came out.

`graph` knows who reads whom, `receipts`, `inputs` and `freshness` whether a run is up to
date, `execution` runs one notebook through papermill (`engine`, `warm`), `stages` all of
them through pytask, `status`, `progress` and `summary` tell about it.
"""
