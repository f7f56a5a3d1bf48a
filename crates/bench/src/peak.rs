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
    /// `avx512`, `avx2`, `sse2`, `neon` or `scalar`.
    pub(crate) instructions: &'static str,
}

/// Runs so many multiply-adds into each accumulator; gives their sum, so that none of them can be left out.
type Loop = fn(u64) -> f32;

/// Independent accumulators. On x86 two multiply-adds start in a cycle and take four or five, and AVX2 has 16 registers
/// for all; on AArch64 four start, and there are 32.
const ACCUMULATORS: usize = if cfg!(target_arch = "aarch64") { 24 } else { 12 };

/// What a loop computes in each lane, x ← FACTOR · x + TERM. It stays between where it began and 1.
const FACTOR: f32 = 0.999;
const TERM: f32 = 0.001;

/// Where accumulator number `index` begins. Each is another, and none of these numbers may be known to the compiler, or
/// it would compute the result itself.
fn begin(index: usize) -> f32 {
    black_box(2.0 + index as f32)
}

/// The best of several short measurements on `threads` threads, by the widest instructions there are, or by `isa` where
/// that is `avx2` or `portable`: a disturbance by other programs only ever makes one slower.
pub(crate) fn measure(threads: usize, isa: Option<&str>) -> Peak {
    const TRIES: usize = 20;
    const STEPS: u64 = 2_000_000;
    let (instructions, lanes, run) = widest(isa);
    let flops = 2 * ACCUMULATORS as u64 * lanes * STEPS * threads as u64;
    let best = (0..TRIES).map(|_| flops as f64 / seconds(threads, run, STEPS) / 1e9).fold(0.0, f64::max);
    Peak { gflops_per_second: best, instructions }
}

/// From the start of the first thread to the end of the last, by the threads' own clocks: whoever waits for them may
/// wake up late.
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
        let narrow = isa == Some("portable");
        if !narrow && isa != Some("avx2") && is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512.
            return ("avx512", 16, |steps| unsafe { x86::avx512(steps) });
        }
        if !narrow && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has AVX2 and FMA.
            return ("avx2", 8, |steps| unsafe { x86::avx2(steps) });
        }
        // SAFETY: every x86-64 processor has SSE2.
        ("sse2", 4, |steps| unsafe { x86::sse2(steps) })
    }
    #[cfg(target_arch = "aarch64")]
    {
        let _ = isa;
        // SAFETY: every processor that this was built for has NEON.
        ("neon", 4, |steps| unsafe { arm::neon(steps) })
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = isa;
        ("scalar", 1, scalar)
    }
}

/// A loop on one kind of vector: `$multiply_add` of an accumulator, the factor and the term; every lane is summed at
/// the end.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! multiply_adds {
    ($name:ident, $features:literal, $lanes:literal, $fill:ident, $store:ident, $multiply_add:expr) => {
        #[target_feature(enable = $features)]
        pub(super) fn $name(steps: u64) -> f32 {
            let (factor, term) = ($fill(black_box(FACTOR)), $fill(black_box(TERM)));
            let mut accumulators: [_; ACCUMULATORS] = std::array::from_fn(|index| $fill(begin(index)));
            for _ in 0..steps {
                for accumulator in &mut accumulators {
                    *accumulator = $multiply_add(*accumulator, factor, term);
                }
            }
            let mut sum = 0.0;
            for accumulator in accumulators {
                let mut lanes = [0.0_f32; $lanes];
                // SAFETY: there is a number for each lane.
                unsafe { $store(lanes.as_mut_ptr(), accumulator) };
                sum += lanes.iter().sum::<f32>();
            }
            sum
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::{ACCUMULATORS, FACTOR, TERM, begin};

    multiply_adds!(avx512, "avx512f", 16, _mm512_set1_ps, _mm512_storeu_ps, _mm512_fmadd_ps);
    multiply_adds!(avx2, "avx2,fma", 8, _mm256_set1_ps, _mm256_storeu_ps, _mm256_fmadd_ps);
    multiply_adds!(sse2, "sse2", 4, _mm_set1_ps, _mm_storeu_ps, |x, f, t| _mm_add_ps(_mm_mul_ps(x, f), t));
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;
    use std::hint::black_box;

    use super::{ACCUMULATORS, FACTOR, TERM, begin};

    multiply_adds!(neon, "neon", 4, vdupq_n_f32, vst1q_f32, |x, f, t| vfmaq_f32(t, x, f));
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn scalar(steps: u64) -> f32 {
    let (factor, term) = (black_box(FACTOR), black_box(TERM));
    let mut accumulators: [f32; ACCUMULATORS] = std::array::from_fn(begin);
    for _ in 0..steps {
        for accumulator in &mut accumulators {
            *accumulator = *accumulator * factor + term;
        }
    }
    accumulators.iter().sum()
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
                let expected = of(lanes, steps);
                let sum = f64::from(run(steps as u64));
                assert!((sum - expected).abs() < 1e-3 * expected, "{name}, {steps}: {sum}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_measurement_says_by_what_it_was_made() {
        let peak = measure(1, Some("portable"));
        assert_eq!(peak.instructions, widest(Some("portable")).0);
        assert!(peak.gflops_per_second > 0.0);
    }
}
