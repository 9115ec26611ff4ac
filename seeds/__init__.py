"""A believable set of farms and simulated devices, the same every time."""
