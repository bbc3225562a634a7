#!/bin/sh
# Makes the container's own cgroup tree usable for the launcher, then becomes the executor.
#
# Docker mounts /sys/fs/cgroup read-only unless a container is --privileged. With CAP_SYS_ADMIN it can be mounted
# writable again; the private cgroup namespace shows this container's own branch and nothing above it. On cgroup v2
# a cgroup that holds processes may not hand controllers down, so this process moves into a leaf of its own first.
set -eu

if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mount -o remount,rw /sys/fs/cgroup
  mkdir -p /sys/fs/cgroup/executor
  for pid in $(cat /sys/fs/cgroup/cgroup.procs); do
    # A process that has ended in the meantime is no trouble.
    echo "$pid" > /sys/fs/cgroup/executor/cgroup.procs 2>/dev/null || true
  done
  echo "+cpu +memory +pids" > /sys/fs/cgroup/cgroup.subtree_control
else
  for controller in memory pids cpuacct cpu freezer; do
    if [ -d "/sys/fs/cgroup/$controller" ]; then
      mount -o remount,rw "/sys/fs/cgroup/$controller"
    fi
  done
fi

exec "$@"
