"""Apple, Google, a browser's push service and ntfy, on loopback: the real protocols over real sockets.

Each is told by its `script` how to answer (tests/support/push/script.py), and keeps what it took in `got`.
"""
