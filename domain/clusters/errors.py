"""What can go wrong with clusters."""

from domain.errors import NotFound


class ClusterNotFound(NotFound):
    """There is no such cluster."""

    code = "cluster_not_found"
