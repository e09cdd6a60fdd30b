"""Share rules: "95% of people within the limit".

:mod:`offers` is their linear programme, :mod:`rounding_cuts` and :mod:`separation` its cuts, :mod:`strong_branching` its branch
and bound, and :mod:`search` goes from plan to proof.
"""
