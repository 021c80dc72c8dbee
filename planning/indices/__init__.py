"""指标 indices of a scheme: floor area ratio, density, green, heights, setbacks, parking."""
