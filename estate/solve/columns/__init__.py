"""The problem by configuration columns: a building and the set of points that could be together there.

:mod:`core` cuts a problem by building; :mod:`building` is the knapsack of one, :mod:`lagrangian` prices the whole with it,
and :mod:`boxstep` finds the best prices; :mod:`patterns` lists the sets that matter at them; :mod:`pool` is the linear
programme over those, :mod:`cuts` its odd-set cuts, :mod:`branch` its branch and bound; :mod:`master` is the whole of it, from
prices to proof.
"""
