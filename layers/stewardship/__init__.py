"""图层管理 stewardship: what a layer is called, who sees it, how it is drawn, its end; a file before its import."""
