"""The cluster's present state, read live and never stored."""

from flask import Flask, current_app

from webapp.cluster.kubernetes_reader import KubernetesReader
from webapp.cluster.state import ClusterReader, ClusterUnreachable
from webapp.config import Config
from webapp.problems import Problem

KEY = "croft_cluster"


def init_app(app: Flask, config: Config) -> None:
    """Attach a reader of the real cluster; nothing is read yet."""
    app.extensions[KEY] = KubernetesReader(config.kubeconfig)


def reader() -> ClusterReader:
    """Return this application's reader."""
    return current_app.extensions[KEY]


def unreachable(error: ClusterUnreachable) -> Problem:
    """Return the problem for a change that cannot be checked because the cluster does not answer."""
    return Problem("cluster-unreachable", f"Nothing was changed: {error}. Try again in a minute.")
