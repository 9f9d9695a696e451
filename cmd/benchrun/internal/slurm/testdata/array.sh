#!/bin/bash
#SBATCH --job-name=quick-1
#SBATCH --array=1-3%2
#SBATCH --output='/shared/50%% off/it'\''s/quick/slurm/1/%A_%a.log'
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
#SBATCH --partition=short
#SBATCH --gres=gpu:1
#SBATCH --time=4:00:00
#SBATCH --mem=8G
#SBATCH --cpus-per-task=4
#SBATCH --account=lab
#SBATCH --qos=low

# One task is one job of the suite:
set -- \
  32d9b1356709 \
  b948475386eb \
  0e8aa1185338
id=${!SLURM_ARRAY_TASK_ID}
export GOMAXPROCS="${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}"
echo "job $id on $(hostname), start $((${SLURM_RESTART_COUNT:-0} + 1))"

# TERM comes before the time limit and before a preemption. benchrun then saves
# and ends with 75 (143 if it had not begun), and the task goes back into the
# queue; not so one that was cancelled, which no longer counts as running. The id
# of the job alone would be that of the whole array in one of its tasks. What asks
# must not end of a second TERM, which the requeue itself brings.
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
job=
trap '[ -z "$job" ] || kill -TERM $job 2>/dev/null' TERM
/shared/bin/benchrun job -out '/shared/50% off/it'\''s' -set 'method.rate=[0.1, 0.5]' "$id" /shared/suite.toml &
job=$!
while kill -0 $job 2>/dev/null; do wait $job; done
wait $job
code=$?
if [ $code -eq 75 ] || [ $code -eq 143 ]; then
  trap '' TERM
  for pause in 1 4 10 0; do
    if state=$(squeue -h -j "$task" -o %T); then
      case $state in
      RUNNING | SIGNALING) scontrol requeue "$task" && break ;;
      *) break ;;
      esac
    fi
    sleep $pause
  done
fi
exit $code
