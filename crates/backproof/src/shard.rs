//! One of several equal parts of a sweep, `2/5`.

use std::fmt;
use std::str::FromStr;

/// Every `of`-th run, from the `index`-th on, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `of`.
    pub index: usize,
    /// How many shards there are.
    pub of: usize,
}

impl Shard {
    /// Whether run `number`, counted from 0, belongs to this shard.
    #[must_use]
    pub fn contains(self, number: usize) -> bool {
        number % self.of == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err("a shard is I/N with I from 1 to N, such as 1/4".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_in_exactly_one_shard() {
        for of in 1..6 {
            for number in 0..20 {
                let shards = (1..=of).filter(|&index| Shard { index, of }.contains(number));
                assert_eq!(shards.count(), 1, "run {number} of {of} shards");
            }
        }
    }

    #[test]
    fn only_i_of_n_is_a_shard() {
        assert_eq!("2/5".parse(), Ok(Shard { index: 2, of: 5 }));
        for text in ["", "0/2", "3/2", "1/0", "1", "a/b", "1/2/3", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
