/// A direction in which a point is moved: each of these elements by its share of the abscissa.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) moves: Vec<Move>,
}

/// By how much an element moves if the relative step is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Move {
    pub(crate) tensor: usize,
    pub(crate) index: usize,
    pub(crate) by: f64,
}

impl Line {
    /// One element, moved by multiples of its own scale.
    pub(crate) fn element(tensor: usize, index: usize, scale: f64) -> Self {
        Self { moves: vec![Move { tensor, index, by: scale }] }
    }

    /// The element that moves alone: its own values are the abscissa.
    pub(crate) fn alone(&self) -> Option<Move> {
        match self.moves[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}
