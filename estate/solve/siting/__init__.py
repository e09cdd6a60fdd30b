"""Problems whose only decision is which sites are open: the location models of the textbooks.

:mod:`choose_sites` says which model a problem is: set :mod:`covering` (:mod:`cover_search` finds covers, :mod:`cover_tree` proves
them), the :mod:`p_center`, or maximal covering and the :mod:`p_median`.  :mod:`merge` leaves out equal rows and dominated sites.
:mod:`estate.problem.textbook` says how the models are special cases.
"""
