"""Certificates against truth from outside, on data that nobody chose.

`zoo` makes the data, each family's file its trials, `judge` runs and judges them, `table` writes
docs/certificates.md. `promises` lists every public function and what it states.
"""
