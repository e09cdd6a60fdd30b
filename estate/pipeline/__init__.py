"""The main job, one way through: load, check, travel, formulate, solve, verify, appraise, publish.

:mod:`~estate.pipeline.job` is the whole of it on one page; each step is a module.
"""
