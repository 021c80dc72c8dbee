"""方案体量 massing of schemes: proposed buildings as a layer, read from city models, with their sun and shadow."""
