"""The verbs of the command line; dala.py lists them all."""
