"""派遣 dispatch: which department a case is for, by rules that are data, and who has what to do."""
