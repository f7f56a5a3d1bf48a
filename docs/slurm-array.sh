#!/bin/sh
# A sweep as an array of Slurm jobs: each task trains one shard of the runs, all into one folder on a shared disk.
#
#   cargo build --release -p backproof                     # once, where the compute nodes can run it
#   sbatch docs/slurm-array.sh configs/sweeps/willis-chain.toml
#
# Two minutes before its time limit, a task saves checkpoints and puts itself back into the queue. Slurm does that with
# the tasks of a node that died. Where it may not, submit the same again. The last task to end writes the table of all.
#
# To repeat single tasks, say how many shards there are: sbatch --array=3,5 docs/slurm-array.sh FILE 8

#SBATCH --job-name=backproof-sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=01:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=sweep-%A-%a.txt

jobs=2
# Without cgroups, a task sees all cores of its node, and not only its own.
cpus=${SLURM_CPUS_PER_TASK:-$jobs}
export RAYON_NUM_THREADS=$((cpus > jobs ? cpus / jobs : 1))
shard=$SLURM_ARRAY_TASK_ID/${2:-$SLURM_ARRAY_TASK_COUNT}
target/release/backproof sweep "$1" --jobs $jobs --shard "$shard" &
sweep=$!

# The time limit is near: only this shell gets this signal. On SIGTERM, runs save a checkpoint, and the sweep ends.
trap 'again=yes; kill -TERM $sweep' USR1
# `scancel` and preemption send SIGTERM to all processes of the job; a second one would end the sweep at once.
trap : TERM

# A signal interrupts `wait`, while the sweep needs a moment more.
wait $sweep
code=$?
while kill -0 $sweep 2>/dev/null; do
    wait $sweep
    code=$?
done
if [ $code -eq 130 ] && [ -n "$again" ]; then
    # Not SLURM_JOB_ID: that of one of the tasks is the number of the whole array.
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
