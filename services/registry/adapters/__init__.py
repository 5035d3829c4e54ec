"""The registry's records in SQL: rows in, domain values out. One class per aggregate, no rules."""
