"""Files of strangers, taken apart and rebuilt: what is known is written anew, the rest is left behind or refused.

A package of its own: it knows the decoders' confinement and nothing else of the server (`renraku sanitize` runs it alone).

- `kinds`: what a file is, by its content; the name is a claim.
- `rebuild/`: one module a family of formats; runs confined, one child a file (`sandbox`).
- `check/`: looks at every output before it is released, written separately from the rebuilders; a child of its own.
- `engine`: the way of one file through these, and of what lies in it. It never opens a stranger's file itself.
- `report`, `words`: what was done, for programs and for people.
"""
