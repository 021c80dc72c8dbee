"""上报 reports: from a point with words and photos to a located case, or to one that is there already."""
