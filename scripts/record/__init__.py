"""The record: what was closed, beside what this program and two simple rules would have closed instead."""
