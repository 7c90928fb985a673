"""Files as people hand them over: one reader for each kind, one way to write them.

Whatever a file holds, its reader raises the error class that it is given, with one line.
"""
