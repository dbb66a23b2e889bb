"""EC2's metadata service for cloud-init, in a container: there the hardware cannot say that this is EC2."""

from cloudinit import sources
from cloudinit.sources.DataSourceEc2 import CloudNames, DataSourceEc2


class DataSourceEc2Lab(DataSourceEc2):
    """Ask as on AWS, with a token; other clouds are asked without one."""

    def _get_cloud_name(self):
        return CloudNames.AWS


def get_datasource_list(depends):
    """Offer the source once the network is up, which a container's always is."""
    deps = (sources.DEP_FILESYSTEM, sources.DEP_NETWORK)
    return sources.list_from_depends(depends, [(DataSourceEc2Lab, deps)])
