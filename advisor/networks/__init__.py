"""Networks as torch modules: build them, count them. The only package that knows timm and ptflops.

Importing it loads neither torch nor timm; the first call that needs them does.
"""
