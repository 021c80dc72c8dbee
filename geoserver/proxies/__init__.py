"""Layers of other servers among our collections: asked within bounds, kept for a while, their failures never ours."""
