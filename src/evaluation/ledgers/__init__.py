"""From workbooks as received to clean tables: read, check, pseudonymise."""
