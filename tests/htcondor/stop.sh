#!/usr/bin/env bash
# Stop the HTCondor that start.sh FOLDER started: its jobs, then its daemons, whose parent has written its process id.
set -uo pipefail
state=$(realpath "$1")
export CONDOR_CONFIG=$state/condor_config
test -s "$state/master.pid" || exit 0
condor_rm -all > /dev/null 2>&1
master=$(cat "$state/master.pid")
kill -QUIT "$master" 2> /dev/null # fast: the jobs that are left are killed with their starters
for _ in $(seq 120); do
    kill -0 "$master" 2> /dev/null || exit 0
    sleep 0.25
done
kill -KILL "$master"
