"""检查 check of a red line against everything it may collide with."""
