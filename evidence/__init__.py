"""Proof that what a figure rests on was stored then and is unchanged; pure functions, no I/O."""
