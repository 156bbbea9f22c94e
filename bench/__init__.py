"""The benchmark: what Renraku costs, against what it cannot do without. See README.md."""
