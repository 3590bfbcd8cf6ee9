#!/usr/bin/env bash
# Stop the Slurm that start.sh FOLDER started: its jobs, then its daemons by the process ids that they wrote.
set -uo pipefail
state=$(realpath "$1")
link=/etc/slurm/slurm.conf
test "$(readlink "$link")" = "$state/slurm.conf" || exit 0
scancel --user="$(id --user --name)" 2> /dev/null
for _ in $(seq 40); do
    test -z "$(squeue --noheader --states=RUNNING,COMPLETING,SUSPENDED 2> /dev/null)" && break
    sleep 0.5
done
for written in "$state"/slurmd.*.pid "$state/slurmctld.pid" "$state/munged.pid"; do
    test -s "$written" || continue
    id=$(cat "$written")
    kill "$id" 2> /dev/null
    for _ in $(seq 40); do
        kill -0 "$id" 2> /dev/null || break
        sleep 0.25
    done
done
rm -f "$link"
