"""Statements for a ministry: what is said of a farm or an area in a season, filed, checked."""
