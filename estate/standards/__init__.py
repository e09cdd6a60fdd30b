"""Access standards: the published presets, the rules a scenario makes of them, and who is in reach of what.

Two different measures exist and both are here: *home to site* (how far people travel) and *site to site* (how far a service is
displaced).  How rules become rows of the problem is in :mod:`estate.formulate.rules`.
"""
