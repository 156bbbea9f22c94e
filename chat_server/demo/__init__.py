"""The demonstration: an invented city and its neighbouring town, so that a first start shows a town hall at work."""
