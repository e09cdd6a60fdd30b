"""The problem by configuration columns: a building and the set of points that could be together there.

:mod:`core` cuts a problem by building; :mod:`pricing` is the knapsack of one, :mod:`lagrangian` prices the whole with it, and
:mod:`boxstep` finds the best prices.

*Where the sets that matter can be listed*: :mod:`patterns` lists them, :mod:`restricted_master` is the linear programme over
them, :mod:`subset_row_cuts` its odd-set cuts, :mod:`branch_and_bound` its tree; :mod:`enumeration` is the whole of it, from
prices to proof, and :mod:`compact` what it leaves open.

*Where they are without end*: :mod:`node_master` is the linear programme of a node, :mod:`branch_and_price` its tree, and
:mod:`diving` finds plans in it.  :mod:`side_rows` are the rules that any linear row can say, :mod:`tied` what may still differ
between plans of equal cost.
"""
