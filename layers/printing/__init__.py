"""Paper: sheets in PDF with Chinese text, tables, maps to scale."""
