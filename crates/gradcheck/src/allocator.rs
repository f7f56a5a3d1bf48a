use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::poison::{LARGE, NAN};

/// The system's allocator, which hands out garbage while a source runs: NaN in the first run, large finite numbers in
/// the second. What is read before it is written then shows as [`NonFinite`](crate::Verdict::NonFinite),
/// [`NonDeterministic`](crate::Verdict::NonDeterministic) or a mismatch.
///
/// A test binary or a program opts in:
///
/// ```
/// use backproof_gradcheck::PoisonAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: PoisonAllocator = PoisonAllocator;
/// # fn main() {}
/// ```
///
/// Every fresh byte of every thread is filled, also what a reallocation adds; memory that was asked for as zeros is
/// zero. Without it, garbage is only likely: memory of the sizes in question is filled and freed before a source runs.
/// Neither sees memory of a device, pools of a library, or the stack. While no source runs it costs one relaxed atomic
/// load for each allocation.
#[derive(Debug, Clone, Copy, Default)]
pub struct PoisonAllocator;

/// The guards alive in all threads: those of the NaN pattern in the lower half, those of the large one in the upper.
static ACTIVE: AtomicU64 = AtomicU64::new(0);

const LARGE_GUARD: u64 = 1 << 32;

thread_local! {
    /// The pattern of this thread's innermost guard, 0 if it has none. Without a destructor and constant at first: an
    /// allocator may use it.
    static OWN: Cell<u64> = const { Cell::new(0) };
}

/// Fresh memory holds a pattern while this lives, if the program has a [`PoisonAllocator`].
///
/// It does so in all threads, because a source may have workers. Where checks run at once, a thread gets the pattern of
/// its own guard, and one without a guard any of those that are active: its fresh memory may hold anything.
pub(crate) struct Garbage {
    guard: u64,
    before: u64,
    /// It must be dropped in the thread that it was made in.
    thread: PhantomData<*const ()>,
}

impl Garbage {
    pub(crate) fn new(pattern: u64) -> Self {
        let guard = if pattern == NAN { 1 } else { LARGE_GUARD };
        ACTIVE.fetch_add(guard, Ordering::Relaxed);
        Self { guard, before: OWN.replace(pattern), thread: PhantomData }
    }
}

impl Drop for Garbage {
    fn drop(&mut self) {
        OWN.set(self.before);
        ACTIVE.fetch_sub(self.guard, Ordering::Relaxed);
    }
}

/// What fresh memory is to hold, if anything.
fn pattern() -> Option<u64> {
    let active = ACTIVE.load(Ordering::Relaxed);
    if active == 0 {
        return None;
    }
    let own = OWN.try_with(Cell::get).unwrap_or(0);
    Some(match own {
        0 if active < LARGE_GUARD => NAN,
        0 => LARGE,
        own => own,
    })
}

/// Fills `length` bytes with the pattern.
///
/// # Safety
///
/// `start` is valid for writes of `length` bytes.
unsafe fn fill(start: *mut u8, length: usize, pattern: u64) {
    let bytes = pattern.to_ne_bytes();
    let words = length / 8;
    for word in 0..words {
        // SAFETY: 8 · words ≤ length, and the write need not be aligned.
        unsafe { start.add(8 * word).cast::<u64>().write_unaligned(pattern) };
    }
    // SAFETY: the rest of less than 8 bytes ends at `length`, and `bytes` lies on the stack.
    unsafe { start.add(8 * words).copy_from_nonoverlapping(bytes.as_ptr(), length % 8) };
}

// SAFETY: all memory comes from and goes back to `System` under the layouts that the caller gave; `fill` writes only
// into bytes that the caller cannot have written yet. Nothing in it allocates or panics.
unsafe impl GlobalAlloc for PoisonAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        let start = unsafe { System.alloc(layout) };
        if let Some(pattern) = pattern()
            && !start.is_null()
        {
            // SAFETY: a block of this size was just allocated.
            unsafe { fill(start, layout.size(), pattern) };
        }
        start
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the block came from `System` under this layout.
        unsafe { System.dealloc(start, layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`, and the caller's promises on `size` are those that `System` asks for.
        let moved = unsafe { System.realloc(start, layout, size) };
        if let Some(pattern) = pattern()
            && !moved.is_null()
            && size > layout.size()
        {
            // SAFETY: the block has `size` bytes, of which the first `layout.size()` are the caller's.
            unsafe { fill(moved.add(layout.size()), size - layout.size(), pattern) };
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests of this binary may hold guards: only this thread's pattern is certain.
    #[test]
    fn a_guard_covers_its_scope_nested_or_left_by_a_panic() {
        assert_eq!(OWN.get(), 0);
        let outer = Garbage::new(NAN);
        assert_eq!(pattern(), Some(NAN));
        let panicked = std::panic::catch_unwind(|| {
            let _inner = Garbage::new(LARGE);
            assert_eq!(pattern(), Some(LARGE));
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(panicked.is_err());
        assert_eq!(pattern(), Some(NAN));
        drop(outer);
        assert_eq!(OWN.get(), 0);
    }

    #[test]
    fn workers_without_a_guard_get_a_pattern_too() {
        let _guard = Garbage::new(LARGE);
        assert_eq!(std::thread::spawn(pattern).join().unwrap(), Some(LARGE));
    }

    #[test]
    fn every_byte_is_filled_whatever_the_length_and_the_alignment() {
        for length in [0, 1, 7, 8, 9, 31] {
            let mut bytes = [0u8; 40];
            // SAFETY: 3 + 31 ≤ 40.
            unsafe { fill(bytes.as_mut_ptr().add(3), length, NAN) };
            let expected = NAN.to_ne_bytes();
            assert!((0..length).all(|i| bytes[3 + i] == expected[i % 8]), "{length}");
            assert!(bytes[..3].iter().chain(&bytes[3 + length..]).all(|&byte| byte == 0), "{length}");
        }
    }
}
