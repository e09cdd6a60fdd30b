"""A programme over years: which buildings are shared and who moves in which year, chosen together, and what pays for it.

:mod:`estate.programme.orders` is the programme in arrays and its solution; :mod:`estate.programme.terms` what each step is worth
and who pays for it in which year; :mod:`estate.programme.tables` what is published of it.
"""
