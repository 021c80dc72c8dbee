"""处置时限 the clock of cases: the city's working time, limits, pauses, deadlines, lights and escalation."""
