//! What goes into a pass.

/// The images of a pass, and the masks of dropout.
pub struct Inputs<'a> {
    /// How many images.
    pub count: usize,
    /// Writes image n, `[C, H, W]`.
    pub image: &'a (dyn Fn(usize, &mut [f32]) + Sync),
    /// Writes what dropout multiplies with: of operation l (counted from 0 among all operations) the elements from e
    /// on, in row-major order over the whole batch.
    pub mask: &'a (dyn Fn(usize, usize, &mut [f32]) + Sync),
}
