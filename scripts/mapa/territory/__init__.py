"""Of which municipality this house is: IBGE's table, and the seeds and settings of any of them."""
