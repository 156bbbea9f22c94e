"""The client in a real browser, against the real server in a process of its own."""
