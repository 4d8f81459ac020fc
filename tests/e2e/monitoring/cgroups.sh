#!/bin/sh
# Print what a container has used, on its node: time, CPU (ns), memory, droppable memory, bytes written (added by +),
# and its network's counters. One call for all of it, so that the values and the clock belong together.
set -eu
pid=$(cat "/run/containerd/io.containerd.runtime.v2.task/k8s.io/$1/init.pid")
of() { sed -n "s/^[0-9]*:$1:\(.*\)/\1/p" "/proc/$pid/cgroup"; }

date +%s.%N
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  cd "/sys/fs/cgroup$(of '')"
  sed -n 's/^usage_usec \(.*\)/\1000/p' cpu.stat
  cat memory.current
  sed -n 's/^inactive_file //p' memory.stat
  tr ' ' '\n' <io.stat | sed -n 's/^wbytes=//p' | paste -sd+
else
  cat "/sys/fs/cgroup/cpuacct$(of '[^:]*cpuacct[^:]*')/cpuacct.usage"
  cd "/sys/fs/cgroup/memory$(of '[^:]*memory[^:]*')"
  cat memory.usage_in_bytes
  sed -n 's/^total_inactive_file //p' memory.stat
  cd "/sys/fs/cgroup/blkio$(of '[^:]*blkio[^:]*')"
  sed -n 's/^[0-9:]* Write //p' blkio.throttle.io_service_bytes_recursive | paste -sd+
fi
sed -n 's/^ *eth0: *//p' "/proc/$pid/net/dev"
