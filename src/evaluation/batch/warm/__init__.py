"""Kernels forked from a process that has already imported what notebooks import.

Starting an ordinary kernel is fast; importing pandas, statsmodels and matplotlib again
for every notebook is what a batch spends its time on. `open_warm_process` starts one
process that imports them once (`server`); `WarmKernelManager` lets each notebook run in
a child forked from it, as an ordinary kernel behind the usual interfaces
(`kernels`). Where that process is missing or not safe to fork, an ordinary kernel
starts instead. Nothing else in the package knows about this room but the command line,
which opens it, and `evaluation.batch.execution`, which names the manager.
"""
