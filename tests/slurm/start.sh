#!/usr/bin/env bash
# Start a Slurm of two nodes for the tests, both of them this machine: start.sh FOLDER
# Everything of it (configuration, key, state, logs, process ids) is in FOLDER; stop.sh FOLDER ends exactly these processes.
# Its configuration is also linked to /etc/slurm/slurm.conf: Snakemake's Slurm plugin hides SLURM_CONF from its jobs.
# Needs root and Debian's packages slurm-wlm (slurmctld, slurmd) and munge; no systemd, no cgroups, no accounting.
set -euo pipefail
state=$(realpath "$1")
nodes=(node1 node2)
mkdir -p "$state"/{controller,munge} "${nodes[@]/#/$state/}"
chmod 0755 "$state"
host=$(hostname -s)
link=/etc/slurm/slurm.conf
if test -e "$link" && ! test -L "$link"; then
    echo "error: $link is that of another Slurm; nothing is started beside it" >&2
    exit 2
fi
other=$(dirname "$(readlink "$link" || echo "$state/none")")/slurmctld.pid
if test -s "$other" && kill -0 "$(cat "$other")" 2> /dev/null; then
    echo "error: a Slurm for tests runs already, in $(dirname "$other")" >&2
    exit 2
fi
read -r port_controller port_node1 port_node2 < <(python3 - <<'PYTHON'
import socket
sockets = [socket.socket() for _ in range(3)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PYTHON
)

# The daemons look for gres.conf and cgroup.conf beside it, and by it the tests tell their processes from others.
export SLURM_CONF=$state/slurm.conf

# Two GPUs a node that do nothing: Slurm asks for device files, and takes any. (`Count=` alone makes the node invalid.)
for number in 0 1; do
    if ! mknod "$state/gpu$number" c 1 3; then
        echo "error: no device files can be made here, so no Slurm with GPUs" >&2
        exit 2
    fi
done
cat > "$state/gres.conf" <<GRES
AutoDetect=off
Name=gpu Type=fake File=$state/gpu[0-1]
GRES

# From 23 on slurmd starts without cgroups only when told to; 22.05 does not know the word and does not start with it.
version=$(slurmd -V)
version=${version##* }
if test "${version%%.*}" -ge 23; then
    echo "CgroupPlugin=disabled" > "$state/cgroup.conf"
fi
# linuxproc and task/none: there are no cgroups to rely on. Memory is therefore watched by polling every 2 s, and a job
# over it is killed by OverMemoryKill. MinJobAge: without accounting, squeue has to remember how jobs ended.
# JobRequeue: with 1, Slurm itself starts the jobs of a failed node again, but only after two minutes.
# CR_LLN: the next job goes to the node with less to do, so that both have some. Each has the CPUs and the memory of the machine.
cat > "$state/slurm.conf" <<SLURM
ClusterName=oddjet
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port_controller
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge/socket
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/%n
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.%n.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
GresTypes=gpu
ReturnToService=1
MinJobAge=86400
KillWait=20
JobRequeue=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
NodeName=DEFAULT CPUs=$(nproc --all) RealMemory=$(awk '/MemTotal/ {print int($2 * 0.9 / 1024)}' /proc/meminfo) Gres=gpu:fake:2
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port_node1
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port_node2
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
SLURM

head -c 1024 /dev/urandom > "$state/munge/key"
chmod 0400 "$state/munge/key"
# --force: a folder below /tmp, and root, are not where munged likes its files to be.
munged --force --key-file="$state/munge/key" --socket="$state/munge/socket" --pid-file="$state/munged.pid" \
    --log-file="$state/munge/log" --seed-file="$state/munge/seed" > "$state/munged.out" 2>&1
mkdir -p "$(dirname "$link")"
ln -sfn "$state/slurm.conf" "$link"
slurmctld -c
for node in "${nodes[@]}"; do
    slurmd -N "$node"
done
for _ in $(seq 60); do
    if test "$(sinfo --noheader --states=idle --format=%D 2> /dev/null)" = "${#nodes[@]}"; then
        exit 0
    fi
    sleep 0.5
done
echo "error: the Slurm nodes did not become idle; see $state/slurmctld.log and $state/slurmd.*.log" >&2
exit 1
