"""违章建筑与三区控制: suspected construction against permits, and the environmental zones of a place."""
