"""Runs on disk: what a run is, its files, how it is published whole, and what differs between two.

Layout under the output folder (``maps/`` by default)::

    <name>          -> .runs/<key>     a link, switched in one step: a reader finds the old run or the new, never half of one
    .runs/<key>/    index.html, the tables, finance.xlsx, plan.gpkg, run.json, data/
    .runs/<name>.lock

``data/`` holds the place, the travel tables and the plan as Parquet, so that ``estate verify`` and ``estate map`` work on a run
that was moved to another machine.  Where links cannot be made, the folder itself is renamed aside and in, and the next command
repairs what a crash in between left behind.
"""
