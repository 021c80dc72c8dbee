"""目录记录 records: what the catalogue says of each layer to those who look for data (ISO 19115 core, OGC 20-004r1)."""
