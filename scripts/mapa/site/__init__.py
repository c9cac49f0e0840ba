"""The public face: one static site of panels, dictionary and data, made of a version.

A page is a module in `pages`, a template and, where it counts something, a cube (`cube.py`) and
blocks (`blocks.py`). Nothing is fetched from outside, and a page opens from a folder as from a
server. `assets/site.js` does in the browser what `cube`, `sentences` and `blocks` do here.
"""
