"""红线报告: what a check found, on paper and as files."""
