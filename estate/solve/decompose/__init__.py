"""Places taken apart.

:mod:`components` are what shares nothing, :mod:`blocks` are cut out with their borders held or priced, :mod:`greedy_drop` drops
buildings, and large-neighbourhood search (:mod:`neighbourhoods`) finds the plans of large places and bounds them.
"""
