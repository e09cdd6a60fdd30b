"""Who would sign, who would leave, and what would keep them: a plan as a game between the agencies that run counters.

:mod:`~estate.partners.game` says who the players are, what each consents to, and what a group can save by itself; all else is
arithmetic on that.
"""
