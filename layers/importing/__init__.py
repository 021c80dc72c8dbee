"""Getting other people's files into layers: read carefully, load once, report everything."""
