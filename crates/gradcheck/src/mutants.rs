use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::counted;

/// A gradient that is wrong on purpose, and whether it was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutant {
    /// Whose gradient was spoilt; [`Mutant::NAMED`] if it was no source's but that of a backward which is wrong by
    /// itself.
    pub source: String,
    /// Of which tensor. A wrong backward may change several: their names, with commas between them.
    pub tensor: String,
    /// How: a [`Mutation`](crate::Mutation)'s name, or the name that [`Check::mutant`](crate::Check::mutant) was given.
    pub mutation: String,
    /// It was not proven.
    pub killed: bool,
}

impl Mutant {
    /// The source of a mutant that knows the operation.
    pub const NAMED: &str = "formula";
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.source, self.tensor, self.mutation)
    }
}

/// A mutant of [`Check::mutant`](crate::Check::mutant) that could not be tried, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub mutation: String,
    /// In a sentence.
    pub reason: String,
}

/// The negative control: every mutant that was tried.
///
/// What changes nothing is no mutant (a shift of equal numbers, a swap of two equal strides), and neither is a
/// falsified gradient that was not proven in the first place. Several controls are collected into one with [`Extend`]
/// or [`FromIterator`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutants {
    /// In the order of tensors and sources; those that know the operation come last.
    pub tried: Vec<Mutant>,
    /// Those that know the operation and are no mutants at this point. One that is left out everywhere tests nothing.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
}

impl Mutants {
    /// How many were found out.
    pub fn killed(&self) -> usize {
        self.tried.iter().filter(|mutant| mutant.killed).count()
    }

    /// Those that were not.
    pub fn survivors(&self) -> impl Iterator<Item = &Mutant> {
        self.tried.iter().filter(|mutant| !mutant.killed)
    }

    /// For tests.
    ///
    /// # Panics
    ///
    /// Panics with the names of the survivors if there are any, or if no mutant was tried.
    #[track_caller]
    pub fn assert(&self) {
        assert!(!self.tried.is_empty() && self.killed() == self.tried.len(), "{self}");
    }
}

impl Extend<Mutant> for Mutants {
    fn extend<I: IntoIterator<Item = Mutant>>(&mut self, mutants: I) {
        self.tried.extend(mutants);
    }
}

impl Extend<Mutants> for Mutants {
    fn extend<I: IntoIterator<Item = Mutants>>(&mut self, controls: I) {
        for control in controls {
            self.tried.extend(control.tried);
            self.left_out.extend(control.left_out);
        }
    }
}

impl<T> FromIterator<T> for Mutants
where
    Mutants: Extend<T>,
{
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut all = Self::default();
        all.extend(items);
        all
    }
}

impl fmt::Display for Mutants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} killed", self.killed(), counted(self.tried.len(), "mutant"))?;
        for survivor in self.survivors() {
            write!(f, "\n  survived: {survivor}")?;
        }
        for LeftOut { mutation, reason } in &self.left_out {
            write!(f, "\n  left out: {mutation}: {reason}")?;
        }
        Ok(())
    }
}
