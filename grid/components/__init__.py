"""部件 components: their codes, their inspections, and what is wrong with them."""
