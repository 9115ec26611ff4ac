"""HTTP request in, JSON out."""
