//! The most arithmetic that this machine does: fused multiply-adds in f32 on registers alone, on all threads at once.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use serde::Serialize;

/// What the measured speeds are shares of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Peak {
    /// GFLOP/s of all threads together.
    pub(crate) gflops_per_second: f64,
    /// `avx512`, `avx2` or `portable`.
    pub(crate) instructions: &'static str,
}

/// Runs so many multiply-adds into each accumulator; gives their sum, so that none of them can be left out.
type Loop = fn(u64) -> f32;

/// Independent accumulators. On x86 two multiply-adds start in a cycle and take four or five, and AVX2 has 16 registers for all; on AArch64
/// four start, and there are 32.
const ACCUMULATORS: usize = if cfg!(target_arch = "aarch64") { 24 } else { 12 };

/// What a loop computes in each lane, x ← FACTOR · x + TERM. It stays between where it began and 1.
const FACTOR: f32 = 0.999;
const TERM: f32 = 0.001;

/// Where accumulator number `index` begins. Each is another, and none of these numbers may be known to the compiler, or it would compute
/// the result itself.
fn begin(index: usize) -> f32 {
    black_box(2.0 + index as f32)
}

/// The best of several short measurements on `threads` threads, by the widest instructions there are, or by `isa` where this machine has
/// it: a disturbance by other programs only ever makes one slower.
pub(crate) fn measure(threads: usize, isa: Option<&str>) -> Peak {
    const TRIES: usize = 20;
    const STEPS: u64 = 2_000_000;
    let (instructions, lanes, run) = widest(isa);
    let flops = 2 * ACCUMULATORS as u64 * lanes * STEPS * threads as u64;
    let best = (0..TRIES).map(|_| flops as f64 / seconds(threads, run, STEPS) / 1e9).fold(0.0, f64::max);
    Peak { gflops_per_second: best, instructions }
}

/// From the start of the first thread to the end of the last, by the threads' own clocks: whoever waits for them may wake up late.
fn seconds(threads: usize, run: Loop, steps: u64) -> f64 {
    let barrier = Barrier::new(threads);
    let timed = || {
        barrier.wait();
        let started = Instant::now();
        black_box(run(black_box(steps)));
        (started, Instant::now())
    };
    let times: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        running.into_iter().map(|thread| thread.join().expect("arithmetic does not panic")).collect()
    });
    let first = times.iter().map(|(started, _)| *started).min();
    let last = times.iter().map(|(_, ended)| *ended).max();
    first.zip(last).map_or(f64::INFINITY, |(first, last)| (last - first).as_secs_f64())
}

/// The name, the lanes and the loop of the instructions to measure by.
fn widest(isa: Option<&str>) -> (&'static str, u64, Loop) {
    #[cfg(target_arch = "x86_64")]
    {
        if isa != Some("avx2") && isa != Some("portable") && is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512.
            return ("avx512", 16, |steps| unsafe { x86::avx512(steps) });
        }
        if isa != Some("portable") && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has AVX2 and FMA.
            return ("avx2", 8, |steps| unsafe { x86::avx2(steps) });
        }
    }
    let _ = isa;
    ("portable", PORTABLE_LANES as u64, portable)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use std::hint::black_box;

    use super::{ACCUMULATORS, FACTOR, TERM, begin};

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(steps: u64) -> f32 {
        let (factor, term) = (_mm512_set1_ps(black_box(FACTOR)), _mm512_set1_ps(black_box(TERM)));
        let mut accumulators: [__m512; ACCUMULATORS] = std::array::from_fn(|index| _mm512_set1_ps(begin(index)));
        for _ in 0..steps {
            for accumulator in &mut accumulators {
                *accumulator = _mm512_fmadd_ps(*accumulator, factor, term);
            }
        }
        accumulators.into_iter().map(|accumulator| _mm512_reduce_add_ps(accumulator)).sum()
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(steps: u64) -> f32 {
        let (factor, term) = (_mm256_set1_ps(black_box(FACTOR)), _mm256_set1_ps(black_box(TERM)));
        let mut accumulators: [__m256; ACCUMULATORS] = std::array::from_fn(|index| _mm256_set1_ps(begin(index)));
        for _ in 0..steps {
            for accumulator in &mut accumulators {
                *accumulator = _mm256_fmadd_ps(*accumulator, factor, term);
            }
        }
        let sum = accumulators.into_iter().fold(_mm256_setzero_ps(), |sum, it| _mm256_add_ps(sum, it));
        _mm_cvtss_f32(_mm256_castps256_ps128(sum))
    }
}

/// Four lanes are what every processor with vectors has.
const PORTABLE_LANES: usize = 4;

/// On AArch64 the compiler makes fused multiply-adds of this; elsewhere a multiplication and an addition.
fn portable(steps: u64) -> f32 {
    let (factor, term) = (black_box(FACTOR), black_box(TERM));
    let mut accumulators: [[f32; PORTABLE_LANES]; ACCUMULATORS] =
        std::array::from_fn(|index| [begin(index); PORTABLE_LANES]);
    for _ in 0..steps {
        for accumulator in &mut accumulators {
            for lane in accumulator {
                *lane = if cfg!(target_arch = "aarch64") { lane.mul_add(factor, term) } else { *lane * factor + term };
            }
        }
    }
    accumulators.iter().flatten().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loop_computes_every_step_of_every_accumulator() {
        // x ← f x + 1 − f from x₀ is 1 + fⁿ (x₀ − 1) after n steps.
        let of = |lanes: u64, steps: i32| {
            let one = |index: usize| 1.0 + f64::from(FACTOR).powi(steps) * (1.0 + index as f64);
            lanes as f64 * (0..ACCUMULATORS).map(one).sum::<f64>()
        };
        for isa in [None, Some("avx2"), Some("portable")] {
            let (name, lanes, run) = widest(isa);
            for steps in [0, 1, 1000] {
                // The sum of AVX2 is of the first lane of each.
                let expected = of(if name == "avx2" { 1 } else { lanes }, steps);
                let sum = f64::from(run(steps as u64));
                assert!((sum - expected).abs() < 1e-3 * expected, "{name}, {steps}: {sum}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_measurement_says_by_what_it_was_made() {
        let peak = measure(1, Some("portable"));
        assert_eq!(peak.instructions, "portable");
        assert!(peak.gflops_per_second > 0.0);
    }
}
