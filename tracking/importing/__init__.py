"""Tracks that come in files: stored as if their devices had sent them, once however often they are imported."""
