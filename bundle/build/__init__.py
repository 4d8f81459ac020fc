"""Fills a bundle: every binary, image, chart and manifest that a cluster needs, in one folder.

`python -m bundle.build` is the front door; roles/bundle calls it.
Read plan.py first: it says what is made of what.
"""
