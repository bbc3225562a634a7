#!/bin/busybox sh
# First process of the guest: the host's file tree read-only under a layer in memory, cgroup v2 alone, then /command.
# /tmp stays the host's, under the layer: a checkout may lie there.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod "/modules/$module.ko"; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,ro,cache=loose host /host
mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /root
mount -t proc proc /root/proc
mount -t sysfs sys /root/sys
mount -t devtmpfs dev /root/dev
mkdir -p /root/dev/shm /root/dev/pts
for folder in run dev/shm; do mount -t tmpfs "$folder" "/root/$folder"; done
chmod 1777 /root/dev/shm
mount -t devpts pts /root/dev/pts
mount -t cgroup2 cgroup /root/sys/fs/cgroup
ip link set lo up
cp /command /root/run/command
# Not chroot alone: bubblewrap resolves paths by descriptor in a new mount namespace, where only a real root will do.
cd /root
mount --move . /
chroot . /bin/bash /run/command
echo "guest-exit=$?"
sync
poweroff -f
