"""All England, county by county: every county is cut from the open lists, run and published by itself, and an atlas joins them.

``counties`` says which places there are, ``work`` runs one, ``job`` runs them all on Dask and goes on where it was left,
``atlas`` adds up: what every county would save, between what is found and what is proven, and what that means in five years.
"""
