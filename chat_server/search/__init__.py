"""The search index: grams of everything that was said, in a file of its own or in a schema of its own."""
