"""Drawings: Jw_cad, DWG and SXF are read, DXF as well, and a new DXF is written of what they draw.

Their readers want files by name and are young, so they run as a program of its own behind the wall of `decoders.program`, one process a
drawing (`python -m chat_server.sanitizing.cad KIND FILE`), and not in the warm children: nothing else is ever parsed beside them.
"""
