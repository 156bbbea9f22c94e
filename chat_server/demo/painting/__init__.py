"""A small painter for roadside photographs: noise, a camera over a ground plane, plants and things on it.

Everything is drawn at the demonstration's first start, so that no photograph of a real place or person, and no
megabytes of pictures, travel with the program. The same seed paints the same bytes (up to the library's encoder).
"""
