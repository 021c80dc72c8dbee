"""Files that parcels come in: 界址点坐标 boundary-point TXT both ways, DXF drawings, geodata."""
