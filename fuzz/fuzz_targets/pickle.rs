#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| backproof_arrays::fuzzing::pickle(bytes));
