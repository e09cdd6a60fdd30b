"""The start of a place: a starter folder, a draft from OpenStreetMap, and the schema of every setting and column."""
