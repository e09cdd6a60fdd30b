"""What property teams take away: the tables as CSV, the workbook, and the GeoPackage."""
