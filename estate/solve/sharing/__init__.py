"""Share rules: "95% of people within the limit".

:mod:`offers` is their linear programme, :mod:`odd` and :mod:`rounds` its cuts, :mod:`fork` its branch and bound,
and :mod:`shares` the search from plan to proof.
"""
