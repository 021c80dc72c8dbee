"""月报: a month's evaluation as a workbook and on paper."""
