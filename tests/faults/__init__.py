"""The whole line on real processes, broken on purpose: nothing lost, nothing doubled."""
