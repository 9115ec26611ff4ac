"""What methods of irrigation wet and waste, as printed, for fields where it was not measured."""

Range = tuple[float, float]  # least and greatest printed value

WETTED_FRACTION_SOURCE = "FAO-56 Table 20, p. 149"
WETTED_FRACTION: dict[str, Range] = {  # share of the soil surface wetted by the event
    "precipitation": (1.0, 1.0),
    "sprinkler": (1.0, 1.0),
    "basin": (1.0, 1.0),
    "border": (1.0, 1.0),
    "every-furrow-narrow-bed": (0.6, 1.0),
    "every-furrow-wide-bed": (0.4, 0.6),
    "alternated-furrows": (0.3, 0.5),
    "drip": (0.3, 0.4),
}

APPLICATION_EFFICIENCY_SOURCE = (
    "FAO Irrigation Water Management, Training Manual 4 (Brouwer et al., 1989), Annex I, Table 8"
)
APPLICATION_EFFICIENCY: dict[str, float] = {  # stored in the root zone per water applied, 0..1
    "surface": 0.60,  # borders, furrows and basins
    "sprinkler": 0.75,
    "drip": 0.90,
}
