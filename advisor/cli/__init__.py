"""The command line: one module per command, from options to a request to a printed answer.

Data goes to standard output, everything else to standard error. No arithmetic happens here.
"""
