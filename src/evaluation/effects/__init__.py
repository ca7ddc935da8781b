"""The designs, their intervals, the gates and the verdict."""
