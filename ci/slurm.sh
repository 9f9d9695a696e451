#!/usr/bin/env bash
# Runs a command on a Slurm cluster that lives as long as the command: a
# controller and two node daemons, n1 and n2, on the loopback interface. Without
# a command, it runs the faults that need a cluster, the time limit left out.
#
#   ci/slurm.sh [COMMAND [ARGUMENT…]]
#
#   ci/slurm.sh sinfo
#   ci/slurm.sh go run ./ci/faults -kills 100 -markdown docs/reliability.md
#
# The command finds SLURM_CONF, and in BAYESBENCH_SLURM_NODE a program that ends
# a node like a power cut and starts it again: "$BAYESBENCH_SLURM_NODE" kill n1,
# "$BAYESBENCH_SLURM_NODE" start n1. Needs root on Debian, and installs slurm-wlm
# and munge where they are missing; says in one line what it lacks and ends well
# where it cannot run.
#
# All of it is in a PID namespace of its own, each node in one below: whatever
# ends this script, nothing stays behind, and no other daemon is touched.
set -euo pipefail

if [ "${1-}" != --inside ]; then
  cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"
  not_run() { echo "not run: $*"; exit 0; }
  [ "$(id -u)" = 0 ] || not_run "the Slurm cluster needs root"
  unshare --pid --fork --mount-proc true 2>/dev/null || not_run "the Slurm cluster needs to make PID namespaces"
  missing() { for c in slurmctld slurmd munged; do command -v $c >/dev/null || return 0; done; return 1; }
  if missing; then
    command -v apt-get >/dev/null || not_run "the Slurm cluster needs Debian's slurm-wlm and munge"
    # A service that the packages would start is none of this machine's.
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends slurm-wlm munge >/dev/null 2>&1 ||
      { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends slurm-wlm munge >/dev/null; } ||
      not_run "apt-get could not install slurm-wlm and munge"
  fi
  [ $# -gt 0 ] || set -- go run ./ci/faults -short -only slurm
  work=$(mktemp -d)
  unshare --pid --fork --kill-child --mount-proc "$0" --inside "$work" "$@" &
  cluster=$!
  end() {
    kill -KILL $cluster 2>/dev/null || true
    wait $cluster 2>/dev/null || true
    for _ in 1 2 3; do rm -rf "$work" 2>/dev/null && break || sleep 1; done # its last processes may still be dying
  }
  trap end EXIT
  trap 'exit 130' INT TERM HUP
  wait $cluster
  exit
fi

work=$2
shift 2
chmod 755 "$work"
host=$(hostname)
port=17000 # and the two after it
while (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 10)); done
mkdir "$work/munge" "$work/state"
head -c 1024 /dev/urandom >"$work/munge/key"
chmod 600 "$work/munge/key"
cat >"$work/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmctldPidFile=$work/slurmctld.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdSpoolDir=$work/%n
SlurmdPidFile=$work/%n.pid
SlurmdLogFile=$work/%n.log
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SlurmdTimeout=5
ReturnToService=2
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=8000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 RealMemory=8000
PartitionName=low Nodes=n1,n2 Default=YES PriorityTier=1 DefMemPerCPU=1000
PartitionName=high Nodes=n1,n2 PriorityTier=2 PreemptMode=off DefMemPerCPU=1000
CONF
cat >"$work/node" <<NODE
#!/usr/bin/env bash
# node start|kill NAME
case \$1 in
start)
  setsid unshare --pid --fork --kill-child --mount-proc bash -c 'slurmd -D -N "\$0" & wait' "\$2" >>"$work/\$2.out" 2>&1 </dev/null &
  echo \$! >"$work/\$2.unshare"
  ;;
kill)
  pid=\$(cat "$work/\$2.unshare")
  grep -qaz "^\$2\$" /proc/\$pid/cmdline || { echo "process \$pid is not node \$2: run this from inside the cluster" >&2; exit 1; }
  kill -KILL \$pid
  ;;
esac
NODE
chmod 755 "$work/node"
export SLURM_CONF=$work/slurm.conf BAYESBENCH_SLURM_NODE=$work/node
mkdir "$work/tmp"
export TMPDIR=$work/tmp # what the command leaves goes with the rest

munged --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
  --log-file="$work/munge/log" --seed-file="$work/munge/seed"
slurmctld -D >"$work/slurmctld.out" 2>&1 &
"$work/node" start n1
"$work/node" start n2
up() { [ "$(sinfo -h -o '%t' 2>/dev/null)" = idle ]; }
for _ in $(seq 240); do up && break; sleep 0.5; done
if ! up; then
  echo "the Slurm cluster does not come up:" >&2
  tail -n 20 "$work"/*.out "$work"/*.log >&2
  exit 1
fi
code=0
"$@" || code=$?
if [ $code -ne 0 ]; then
  echo "what Slurm said:" >&2
  grep -hE 'error|DOWN|requeue|preempt' "$work"/*.log | tail -n 40 >&2 || true
fi
exit $code
