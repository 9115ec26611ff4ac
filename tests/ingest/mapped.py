"""A mapping of a weather station, and what messages come to."""

NOW_US = 1_782_882_060_000_000  # 2026-07-01T05:01:00Z


SECOND_US = 1_782_882_000_000_000  # 2026-07-01T05:00:00Z


WEATHER = """
[[topics]]
pattern = "farm/+/weather"
device = "wx-$1"
time = "time"
[[topics.readings]]
path = "temp"
quantity = "air_temperature"
unit = "°C"
"""


def values(decoded):
    assert decoded.rejected == []
    return {(r.quantity, r.depth_cm, r.channel): r.value for r in decoded.readings}


def reasons(decoded):
    return [r.reason for r in decoded.rejected]
