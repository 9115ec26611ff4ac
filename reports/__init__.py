"""Statements about farms and regions, on analytics and storage."""
