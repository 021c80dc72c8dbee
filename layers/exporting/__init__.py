"""Handing layers out as files: rows leave PostgreSQL through a cursor, batch by batch, so memory stays flat."""
