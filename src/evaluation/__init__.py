"""From a district's ledgers to published findings.

Rooms in the order in which the data walk through them: `ledgers`, `panel`,
`effects`, `findings`; `demo` makes demonstration ledgers. Importing the
package does nothing else, except in a notebook of the batch: there it notes
which files are read, so that only what depends on a change runs again.
"""

import os

__version__ = "0.1.0"

if _note := os.environ.get("EVALUATION_READ"):
    from evaluation.trace import start_trace

    start_trace(_note)
