"""Problems of one kind of decision, by methods of their own.

*Which sites* (:mod:`sites`): set :mod:`covering` and the p-:mod:`center`, maximal covering and the p-:mod:`median`, with
equal rows and dominated sites left out by :mod:`merge`. *Which site for each client* (:mod:`single_source`): :mod:`location`
holds its arrays, :mod:`knapsack` and :mod:`ascent` its bound, :mod:`fixing` what the bound decides, :mod:`rounding` its
plans. :mod:`textbook` says how the models of the textbooks are special cases.
"""
