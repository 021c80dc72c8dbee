"""规划公示: what is put before the public, for how long."""
