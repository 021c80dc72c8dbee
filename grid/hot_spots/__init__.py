"""案件热点 hot spots of cases as a standing layer: density and Gi* by grid, kept current."""
