"""Trials: candidates trained on the user's own images. The only wing that trains.

``datasets`` reads images, ``checks`` and ``splitting`` look after them, ``probing`` and
``training`` teach networks, ``scheduling`` shares a budget out, ``record`` is what comes out.
"""
