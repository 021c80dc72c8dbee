"""选址 site selection: areas ranked by weighted criteria within hard limits."""
