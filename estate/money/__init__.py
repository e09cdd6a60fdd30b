"""Money: the law in one table, what everything costs, what letting a building go brings, and present values.

All amounts are GBP (float64) at the scenario's prices, by position in the place's frames; each is rounded once, by
:func:`estate.money.costs.pence`, where it enters the problem or the books.
"""
