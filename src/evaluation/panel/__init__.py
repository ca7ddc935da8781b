"""From clean ledgers to one edition's panel: who, from when, with which outcomes."""
