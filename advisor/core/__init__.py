"""The nouns of the program: quantities, lanes, candidates, workloads, estimates, documents."""
