"""Neural packs: recognisers and voices that a box gets as files. A pack is data alone; the engine that reads it is a
program of its own (`programs`), with packages of its own, which nothing of ours imports.
"""
