"""Dashboards and alert rules as code.

`python -m grafana` writes what is committed in dashboards/, rules/ and docs/.
"""
