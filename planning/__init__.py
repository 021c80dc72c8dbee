"""用地红线 land red lines, 控规 control plans and 三区三线, as processes on the shared layers."""
