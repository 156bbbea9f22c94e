"""Notes as PDF: typeset in a process of its own, which can read fonts and the pictures that it was given, and nothing else."""
