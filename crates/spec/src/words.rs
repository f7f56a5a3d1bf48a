//! Small words that agree with a number, for texts that a person reads.

use std::fmt::Display;

/// `1 file`, `3 files`.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    format!("{count} {}", plural(count, noun))
}

/// The `noun`, one in the singular and regular in the plural, as it stands behind a number that is written otherwise.
pub fn plural<N: PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) {
        noun.to_owned()
    } else if noun.ends_with("ss") || noun.ends_with('x') || (noun.ends_with("ch") && noun != "epoch") {
        format!("{noun}es")
    } else {
        format!("{noun}s")
    }
}

/// `is` of one, `are` of any other number.
pub fn are<N: PartialEq + From<u8>>(count: N) -> &'static str {
    if count == N::from(1) { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_in_the_singular() {
        assert_eq!([0, 1, 2, 11].map(|n: usize| counted(n, "file")), ["0 files", "1 file", "2 files", "11 files"]);
        assert_eq!([1, 10].map(|n: u64| counted(n, "class")), ["1 class", "10 classes"]);
        assert_eq!([1, 3].map(|n: usize| counted(n, "epoch")), ["1 epoch", "3 epochs"]);
        assert_eq!([1, 3].map(|n: usize| counted(n, "training image")), ["1 training image", "3 training images"]);
        assert_eq!([0, 1, 2].map(|n: usize| are(n)), ["are", "is", "are"]);
    }
}
