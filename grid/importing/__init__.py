"""Cases of other systems (a 12345 hotline's, a 311 system's) brought in with their past, from tables."""
