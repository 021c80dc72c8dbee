"""网格服务 the work of social grids: visits and what they covered, reports by text message."""
