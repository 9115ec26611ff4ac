"""FAO-56's crop tables as data, and crops put together from them."""
