"""Other ways than JT/T 808 by which positions come: each module reads one form into fixes, and knows no socket."""
