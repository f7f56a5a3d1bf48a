#!/bin/sh
# A sweep as an array of Slurm jobs: each task trains one shard of the runs, all into one folder on a shared disk.
#
#   cargo build --release -p backproof                     # once, where the compute nodes can run it
#   sbatch docs/slurm-array.sh configs/sweeps/willis-chain.toml
#
# A job that ends early, by its time limit or a node, leaves checkpoints: submit the same again and it goes on. The last
# task to end writes the table of all.

#SBATCH --job-name=backproof-sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=01:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output=sweep-%A-%a.txt

# The batch shell gets the signal, 120 s before the limit, and passes it on: runs save a checkpoint, and the sweep ends.
target/release/backproof sweep "$1" --jobs 2 --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" &
sweep=$!
trap 'kill -TERM $sweep' TERM
wait $sweep
code=$?
# `wait` returns early when the signal comes; the sweep then needs a moment more.
while kill -0 $sweep 2>/dev/null; do
    wait $sweep
    code=$?
done
exit $code
