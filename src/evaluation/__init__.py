"""From a district's ledgers to published findings.

Rooms in the order in which the data walk through them: `ledgers`, `panel`,
`effects`, `findings`; `demo` makes demonstration ledgers. Importing the
package does nothing else.
"""

__version__ = "0.1.0"
