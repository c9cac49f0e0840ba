"""What the city shows of itself: the search API, CadSUS and the files that its operators export."""
