"""综合评价 evaluation: what became of the cases of a period, by area, department, post and person."""
