#!/bin/sh
# A sweep as an array of HyperQueue tasks: each task trains one shard of the runs, all into one folder on a shared disk.
#
#   cargo build --release -p backproof                     # once, where the workers can run it
#   hq server start &                                      # on a machine that stays
#   hq worker start &                                      # on each machine, or `hq alloc add slurm --time-limit 1h`
#   hq submit docs/hyperqueue.sh configs/sweeps/willis-chain.toml
#
# HyperQueue gives the task of a worker that died to another worker, and the sweep goes on from its checkpoints. A task
# that failed is not started again. To repeat such tasks, or single ones, say how many shards there are:
#
#   hq submit --array=$(hq job task-ids last --filter=failed) docs/hyperqueue.sh configs/sweeps/willis-chain.toml 8

#HQ --name=backproof-sweep
#HQ --array=1-8
#HQ --cpus=4
#HQ --crash-limit=unlimited
#HQ --stdout=sweep-%{JOB_ID}-%{TASK_ID}.txt
#HQ --stderr=sweep-%{JOB_ID}-%{TASK_ID}.txt

# As many as the array has tasks: HyperQueue does not tell a task.
shards=${2:-8}

# Half of the cores of a task for each run, and not half of those of its machine.
export RAYON_NUM_THREADS=2
exec target/release/backproof sweep "$1" --jobs 2 --shard "$HQ_TASK_ID/$shards"
