"""网格 grid cells: the 万米 unit grid built, checked, split and merged, its codes and their successors."""
