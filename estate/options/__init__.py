"""Options side by side, as a business case has them: do nothing, do minimum, the plan, and other plans by name.

:mod:`estate.options.option` is one of them with its books, :mod:`estate.options.upkeep` what it takes to keep buildings fit,
:mod:`estate.options.finance` the financial case, in the money of each year, and :mod:`estate.options.tables` what is published.
"""
