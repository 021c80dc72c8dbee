"""Survey coordinates of parcels: zones, rings of boundary points, areas."""
