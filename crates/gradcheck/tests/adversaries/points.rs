//! Where the functions are looked at: general points, and all the points at which a difference is hard to take.

use backproof_gradcheck::Value;

use crate::draw::Draw;

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Standard normal.
    Normal,
    /// Normal, and one of 1e4, −1e4, −1e9 or 1e20.
    Outlier,
    /// Normal, and every other one is 0 or −0.
    Zeros,
    /// Of −1, 0.5 and 2, so that many are equal.
    Ties,
    /// All the same.
    Constant,
    /// Beside 0 about 1e-40 in f32, which has fewer digits there, and 1e-100 in f64.
    Denormal,
    /// About 1e-12.
    Tiny,
    /// 20, 90 and 710 with both signs.
    Saturated,
    /// Normal, times a power of ten between 1e-6 and 1e6.
    Spread,
    /// Every element of a kind of its own.
    Mixture,
}

pub(crate) const KINDS: [Kind; 10] = [
    Kind::Normal,
    Kind::Outlier,
    Kind::Zeros,
    Kind::Ties,
    Kind::Constant,
    Kind::Denormal,
    Kind::Tiny,
    Kind::Saturated,
    Kind::Spread,
    Kind::Mixture,
];

/// The elements that a tensor may have: the magnitudes in f32 and in f64, and the sign. Others are moved to its border.
#[derive(Clone, Copy)]
pub(crate) struct Domain {
    least: [f64; 2],
    most: [f64; 2],
    positive: bool,
}

pub(crate) const ANY: Domain = Domain { least: [0.0; 2], most: [1e20, 1e150], positive: false };

impl Domain {
    /// Up to these magnitudes in f32 and in f64.
    pub(crate) const fn upto(self, single: f64, double: f64) -> Self {
        Self { most: [single, double], ..self }
    }

    /// No nearer to zero than these magnitudes in f32 and in f64.
    pub(crate) const fn from(self, single: f64, double: f64) -> Self {
        Self { least: [single, double], ..self }
    }

    pub(crate) const fn positive(self) -> Self {
        Self { positive: true, ..self }
    }

    fn nearest(&self, x: f64, single: bool) -> f64 {
        let number = usize::from(!single);
        let size = x.abs().clamp(self.least[number], self.most[number]);
        if self.positive { size } else { size.copysign(x) }
    }
}

/// How large the tensors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Every axis is 1.
    One,
    /// A few elements.
    Few,
    /// 10,000 elements, so that only a quota is differentiated one by one.
    Many,
}

/// What a point is drawn from.
pub(crate) struct Setting {
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    /// In f32.
    pub(crate) single: bool,
    pub(crate) draw: Draw,
}

impl Setting {
    /// The kind, the precision and the size are drawn too: one of eight has size 1, and none is large.
    pub(crate) fn of(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let (kind, single) = (draw.of(&KINDS), draw.once_in(2));
        let size = if draw.once_in(8) { Size::One } else { Size::Few };
        Self { kind, size, single, draw }
    }

    /// The size of an axis: 1, up to `few`, or `many`.
    pub(crate) fn axis(&mut self, few: usize, many: usize) -> usize {
        match self.size {
            Size::One => 1,
            Size::Few => self.draw.between(1, few + 1),
            Size::Many => many,
        }
    }

    pub(crate) fn value(&mut self, dims: &[usize], domain: Domain) -> Value {
        let total: usize = dims.iter().product();
        let constant = self.draw.normal();
        let outlier = self.draw.between(0, total.max(1));
        let data = (0..total)
            .map(|index| {
                let kind = match self.kind {
                    Kind::Outlier if index != outlier => Kind::Normal,
                    Kind::Mixture => self.draw.of(&KINDS),
                    other => other,
                };
                domain.nearest(self.element(kind, constant), self.single)
            })
            .collect();
        Value::new(dims, data)
    }

    fn element(&mut self, kind: Kind, constant: f64) -> f64 {
        let draw = &mut self.draw;
        match kind {
            Kind::Normal | Kind::Mixture => draw.normal(),
            Kind::Outlier => draw.of(&[1e4, -1e4, -1e9, 1e20]),
            Kind::Zeros if draw.once_in(2) => draw.of(&[0.0, -0.0]),
            Kind::Zeros => draw.normal(),
            Kind::Ties => draw.of(&[-1.0, 0.5, 2.0]),
            Kind::Constant => constant,
            Kind::Denormal => draw.of(&[-1.0, 0.0, 1.0, 2.0]) * if self.single { 1e-40 } else { 1e-100 },
            Kind::Tiny => 1e-12 * draw.normal(),
            Kind::Saturated => draw.sign() * draw.of(&[20.0, 90.0, 710.0]),
            Kind::Spread => draw.normal() * 10f64.powf(12.0 * draw.uniform() - 6.0),
        }
    }
}
