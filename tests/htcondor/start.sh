#!/usr/bin/env bash
# Start an HTCondor of one node for the tests, as an ordinary user: start.sh FOLDER
# Everything of it (configuration, queue, logs, process ids) is in FOLDER; stop.sh FOLDER ends exactly these processes.
# Needs Debian's package minicondor; no systemd, no cgroups, no root. CONDOR_CONFIG=FOLDER/condor_config names it to others.
set -euo pipefail
state=$(realpath "$1")
mkdir -p "$state"/{log,spool,execute,lock,run,tokens}
chmod 0755 "$state"
port=$(python3 -c 'import socket; one = socket.socket(); one.bind(("127.0.0.1", 0)); print(one.getsockname()[1])')

# Where the package has put its programs stands in its own configuration; all else of it is left out.
# CLAIMTOBE, who says who he is, is believed: on the loopback, and only here. By file system (FS) the client of the
# Python package does not get on with the older daemons of Debian. There are no cgroups to rely on: memory is polled.
cat > "$state/condor_config" <<CONDOR
include : /etc/condor/condor_config
LOCAL_CONFIG_DIR =
LOCAL_CONFIG_FILE =
LOCAL_DIR = $state
LOG = $state/log
SPOOL = $state/spool
EXECUTE = $state/execute
LOCK = $state/lock
RUN = $state/run
SEC_TOKEN_SYSTEM_DIRECTORY = $state/tokens
SEC_PASSWORD_DIRECTORY = $state/tokens
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:$port
SHARED_PORT_PORT = $port
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
use ROLE : Personal
use POLICY : Always_Run_Jobs
use POLICY : Hold_If_Memory_Exceeded
use FEATURE : PartitionableSlot
SEC_DEFAULT_AUTHENTICATION_METHODS = CLAIMTOBE
SEC_CLIENT_AUTHENTICATION_METHODS = CLAIMTOBE
ALLOW_ADMINISTRATOR = *
ALLOW_DAEMON = *
ALLOW_NEGOTIATOR = *
ALLOW_READ = *
ALLOW_WRITE = *
MASTER_ADDRESS_FILE = $state/log/.master_address
# All that is done every few minutes is done every few seconds: jobs of the tests last about as long.
MASTER_BACKOFF_CONSTANT = 1
NEGOTIATOR_INTERVAL = 2
NEGOTIATOR_MIN_INTERVAL = 1
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 2
SCHEDD_MIN_INTERVAL = 1
PERIODIC_EXPR_INTERVAL = 2
UPDATE_INTERVAL = 5
POLLING_INTERVAL = 2
STARTER_UPDATE_INTERVAL = 2
STARTER_INITIAL_UPDATE_INTERVAL = 2
SHADOW_QUEUE_UPDATE_INTERVAL = 2
PID_SNAPSHOT_INTERVAL = 2
RUNBENCHMARKS = 0
# As many as the largest job asks for: of two threads of one core HTCondor counts one, and such a job would wait for ever.
NUM_CPUS = 2
CONDOR

export CONDOR_CONFIG=$state/condor_config
condor_master -pidfile "$state/master.pid" > "$state/master.out" 2>&1
for _ in $(seq 120); do
    if test -n "$(condor_status -autoformat Name 2> /dev/null)" && condor_q > /dev/null 2>&1; then
        exit 0
    fi
    sleep 0.5
done
echo "error: the node of HTCondor did not show up; see $state/log: $(tail -qn 1 "$state/master.out" "$state/log/MasterLog")" >&2
exit 1
