"""用地红线 red lines: how they are kept, and their life from application to archive."""
