#!/bin/sh
# Makes the container's own cgroups writable for the launcher, then becomes the executor.
#
# Docker mounts /sys/fs/cgroup read-only unless a container is --privileged; CAP_SYS_ADMIN may mount it writable again.
# The private cgroup namespace shows this container's own branch and nothing above it.
set -eu

if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mount -o remount,rw /sys/fs/cgroup
else
  for controller in memory pids cpuacct; do
    mount -o remount,rw "/sys/fs/cgroup/$controller"
  done
fi

exec "$@"
