"""地名地址检索 the gazetteer: from names and addresses to features (geocode) and back (reverse-geocode)."""
