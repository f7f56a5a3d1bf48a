/// What an exercise asks for: what the forward is, and which conventions it follows. What the backward is, a student
/// finds.
#[derive(Debug, Clone, Copy)]
pub struct LayerTask {
    /// In a few words.
    pub title: &'static str,
    /// The forward, as formulas in plain text.
    pub forward: &'static str,
    /// Conventions, a sentence each.
    pub conventions: &'static [&'static str],
}
