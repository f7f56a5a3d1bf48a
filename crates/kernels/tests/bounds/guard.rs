//! Memory that cannot be left unnoticed.

use std::ops::Range;

/// Which end of the memory lies at the guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Front,
    Back,
}

/// Numbers directly after or before a page that faults when it is read or written. What is left of their own pages is
/// NaN, which a kernel that reads it carries into its result, and which has to be there still at the end.
pub(crate) struct Guarded {
    memory: Memory,
    index: Range<usize>,
}

impl Guarded {
    pub(crate) fn new(length: usize, side: Side, number: impl Fn(usize) -> f32) -> Self {
        let mut memory = Memory::new(length);
        let all = memory.numbers();
        let start = match side {
            Side::Front => Memory::FRONT,
            Side::Back => all.len() - Memory::FRONT - length,
        };
        all.fill(f32::NAN);
        all[start..start + length].iter_mut().enumerate().for_each(|(i, to)| *to = number(i));
        Self { memory, index: start..start + length }
    }

    pub(crate) fn numbers(&mut self) -> &mut [f32] {
        &mut self.memory.numbers()[self.index.clone()]
    }

    /// Whether all numbers are numbers, and all around them is as it was.
    pub(crate) fn is_intact(&mut self) -> bool {
        let index = self.index.clone();
        self.memory.numbers().iter().enumerate().all(|(i, number)| number.is_nan() != index.contains(&i))
    }
}

#[cfg(target_os = "linux")]
use pages::Pages as Memory;

#[cfg(target_os = "linux")]
mod pages {
    use std::ptr::null_mut;

    /// Whole pages with one on each side that may not be touched.
    pub(crate) struct Pages {
        mapping: *mut libc::c_void,
        page: usize,
        pages: usize,
    }

    impl Pages {
        /// Numbers to leave free at either end: none, the guard begins there.
        pub(crate) const FRONT: usize = 0;

        pub(crate) fn new(length: usize) -> Self {
            // SAFETY: new memory, of which nobody knows yet; every result is checked.
            unsafe {
                let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).expect("a page's size");
                let pages = (length * size_of::<f32>()).div_ceil(page).max(1);
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                let mapping = libc::mmap(null_mut(), (pages + 2) * page, libc::PROT_NONE, flags, -1, 0);
                assert_ne!(mapping, libc::MAP_FAILED, "mmap");
                let inside = mapping.byte_add(page);
                assert_eq!(libc::mprotect(inside, pages * page, libc::PROT_READ | libc::PROT_WRITE), 0, "mprotect");
                Self { mapping, page, pages }
            }
        }

        pub(crate) fn numbers(&mut self) -> &mut [f32] {
            // SAFETY: these pages are ours alone, may be read and written, and begin as zeros.
            unsafe {
                let start = self.mapping.byte_add(self.page).cast();
                std::slice::from_raw_parts_mut(start, self.pages * self.page / size_of::<f32>())
            }
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the mapping is ours, and no slice of it outlives `self`.
            unsafe { libc::munmap(self.mapping, (self.pages + 2) * self.page) };
        }
    }
}

/// Where there is no `mmap`: numbers with NaN on both sides.
#[cfg(not(target_os = "linux"))]
struct Memory(Vec<f32>);

#[cfg(not(target_os = "linux"))]
impl Memory {
    const FRONT: usize = 256;

    fn new(length: usize) -> Self {
        Self(vec![0.0; length + 2 * Self::FRONT])
    }

    fn numbers(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

#[test]
fn a_number_written_beside_is_noticed() {
    for (side, beside) in [(Side::Back, -1), (Side::Front, 3)] {
        let mut guarded = Guarded::new(3, side, |_| 0.0);
        assert!(guarded.is_intact());
        let at = guarded.index.start.strict_add_signed(beside);
        guarded.memory.numbers()[at] = 0.0;
        assert!(!guarded.is_intact(), "{side:?}");
    }
}
