//! The colours, for light and for dark. Figures and pages have no others.

use serde::Serialize;

/// Colours by their part. Every text colour has a contrast of at least 4.5 to 1 on `paper`.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Theme {
    /// Behind everything.
    pub(crate) paper: &'static str,
    /// Behind code and notices.
    pub(crate) panel: &'static str,
    /// Text.
    pub(crate) ink: &'static str,
    /// Text of second rank: ticks, captions.
    pub(crate) soft: &'static str,
    /// Axes and the rules of tables.
    pub(crate) rule: &'static str,
    /// Grid lines.
    pub(crate) grid: &'static str,
    /// What is right: the diagonal of a confusion matrix, the true class.
    pub(crate) right: &'static str,
    /// What is wrong: the rest of it, the predicted class.
    pub(crate) wrong: &'static str,
    /// Curves; dashes and markers tell them apart without colour.
    pub(crate) series: [&'static str; SERIES],
}

/// How many curves have a colour of their own.
pub(crate) const SERIES: usize = 10;

pub(crate) const LIGHT: Theme = Theme {
    paper: "#ffffff",
    panel: "#f5f6f7",
    ink: "#16181b",
    soft: "#555b64",
    rule: "#b4bac2",
    grid: "#e6e8eb",
    right: "#1d5fbf",
    wrong: "#b8430a",
    series: [
        "#1d5fbf", "#b8430a", "#0a7568", "#7a3fc4", "#86620a", "#b0246b", "#4a5666", "#4c7a12", "#8a2b2b", "#0b6a94",
    ],
};

pub(crate) const DARK: Theme = Theme {
    paper: "#14171a",
    panel: "#1d2125",
    ink: "#e8eaed",
    soft: "#a5adb8",
    rule: "#4d555f",
    grid: "#2a2f35",
    right: "#7fb2ff",
    wrong: "#ff9a66",
    series: [
        "#7fb2ff", "#ff9a66", "#4fd0be", "#c4a5ff", "#e2b84f", "#ff8fbd", "#aab6c6", "#a3d255", "#f08080", "#6fcdf2",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours as WCAG 2.2 defines it: (L₁ + 0.05) / (L₂ + 0.05) of their relative luminances.
    fn contrast(one: &str, other: &str) -> f64 {
        let luminance = |colour: &str| -> f64 {
            let channel = |place: usize| {
                let value = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
        };
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn black_on_white_has_the_contrast_that_the_definition_gives() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-12);
    }

    #[test]
    fn every_text_colour_can_be_read() {
        for theme in [LIGHT, DARK] {
            let texts = [theme.ink, theme.soft, theme.right, theme.wrong].into_iter().chain(theme.series);
            for text in texts {
                for ground in [theme.paper, theme.panel] {
                    assert!(contrast(text, ground) >= 4.5, "{text} on {ground}: {:.2}", contrast(text, ground));
                }
            }
        }
    }
}
