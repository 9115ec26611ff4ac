"""Rules of alerts: what a farm's data is looked at for, again and again.

The conditions are formulas (``analytics.alert_conditions``); modules here ask storage and apply
them, and ``rules`` is the one table of all rules.
"""
