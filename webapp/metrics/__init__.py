"""The portal's own metrics, for Prometheus, on a port that no ingress leads to.

`series` has what is counted where it happens, `jobs` what is read from the database when somebody asks.
(What members see of their applications' metrics is in webapp/monitoring.)
"""
