//! Group normalisation.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::EPSILON;
use super::{Inferred, Misfit, checks};
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};
use crate::{Shape, counted};

/// Normalisation over groups of neighbouring channels of one image, or features of one vector, with a learned scale and
/// a learned shift a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupNormSpec {
    /// How many groups there are; they divide the channels.
    pub groups: usize,
    /// Added to the variance before the root.
    pub epsilon: f64,
}

impl Definition for GroupNormSpec {
    const DOC: &'static str = "Normalisation over groups of channels, image by image.";

    const KEYS: &'static [Key] = &[
        key(
            "groups",
            Kind::Integer { least: 1 },
            Presence::Required(Literal::Integer(4)),
            "Groups of neighbouring channels; they divide the channels.",
        ),
        EPSILON,
    ];

    const STEM: Option<&'static str> = Some("norm");

    const HAS_KERNEL: bool = false;

    fn read(record: &Record) -> Self {
        Self { groups: record.count("groups"), epsilon: record.number("epsilon") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("groups", self.groups as u64);
        entries.push("epsilon", self.epsilon);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::positive("groups", self.groups)?;
        checks::epsilon(self.epsilon)?;
        let (channels, noun) = match input {
            Shape::Image { channels, .. } => (channels, "channel"),
            Shape::Vector { features } => (features, "feature"),
        };
        if !channels.is_multiple_of(self.groups) {
            let groups = counted(self.groups, "group");
            return Err(Misfit::new(format!("{} do not divide into {groups}", counted(channels, noun))));
        }
        checks::more_than_one(input.elements() / self.groups, "a group")?;
        Ok(Inferred { output: input, weights: channels, biases: channels, running_statistics: 0 })
    }

    fn describe(&self) -> String {
        format!("group norm, {}", counted(self.groups, "group"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_a_scale_and_a_shift() {
        let norm = GroupNormSpec { groups: 3, epsilon: 1e-5 };
        for input in [Shape::image(6, 2, 2), Shape::vector(6)] {
            let expected = Inferred { output: input, weights: 6, biases: 6, running_statistics: 0 };
            assert_eq!(norm.infer(input, &[]).unwrap(), expected);
        }
        assert_eq!(norm.describe(), "group norm, 3 groups");
    }

    #[test]
    fn groups_of_nothing_and_groups_that_do_not_divide_are_misfits() {
        for (groups, epsilon, expected) in [
            (0, 1e-5, "groups must be at least 1, got 0"),
            (4, 1e-5, "6 features do not divide into 4 groups"),
            (6, 1e-5, "a group has one number, which normalises to 0"),
            (2, 0.0, "epsilon must be positive, got 0"),
        ] {
            let misfit = GroupNormSpec { groups, epsilon }.infer(Shape::vector(6), &[]).unwrap_err();
            assert_eq!(misfit.problem, expected);
        }
    }
}
