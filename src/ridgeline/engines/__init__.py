"""How a fold runs: the order in which summaries merge, whoever makes them, and the machines that can make them."""
