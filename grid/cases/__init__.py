"""案卷 cases: from a report with coordinates through dispatch and handling to the closed case."""
