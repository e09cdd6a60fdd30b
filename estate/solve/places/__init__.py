"""Places taken apart.

:mod:`components` are what shares nothing, :mod:`blocks` are cut out with their borders held or priced, :mod:`greedy` drops
buildings, and the :mod:`sweep` over neighbourhoods finds the plans of large places and bounds them.
"""
