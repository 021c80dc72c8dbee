"""规划公示 publicity: notices with drawings and buildings, comments of the public, what became of them."""
