"""Builds the tables under ``inputs/`` from the published files they came from."""
