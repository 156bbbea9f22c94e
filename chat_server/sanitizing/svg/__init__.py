"""SVG: read, cut down to what is drawn, and painted as a PNG.

A picture needs fonts by name, which the warm children cannot open, and its painter is a library of its own. So it is a
program behind the wall of `decoders.program`, one process a picture (`python -m chat_server.sanitizing.svg svg FILE`).
Drawings are painted by the same painter.
"""
