"""Moisture at which a crop's mass is stated, so that wet and dry loads add up. [%, wet basis]

Customary base moistures of grain trade; a buyer's contract may say otherwise, so a crop zone's
own ``standard_moisture_pct`` goes before. Crops that are sold as they are have none.
"""

STANDARD_MOISTURE_PCT = {
    "barley": 14.0,
    "maize": 14.0,
    "oats": 13.5,
    "rapeseed": 8.0,
    "safflower": 8.0,
    "soybean": 12.0,
    "spring-wheat": 14.0,
    "sunflower": 7.0,
    "winter-wheat": 14.0,
}
