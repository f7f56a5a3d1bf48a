//! Several configs that were run with the same seeds, each held against the first.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// How a config differs from the first one.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    /// Its mean less the mean of the first.
    pub mean: f64,
    /// The 95 % confidence interval of that difference.
    pub interval: [f64; 2],
    /// The two-sided p-value of no difference, not corrected for several comparisons.
    pub p: f64,
}

/// Each row of `figures` but the first against the first. A row has the figures of a config, one for each seed, and all
/// rows have the same seeds. `None` of fewer than two degrees of freedom: of two seeds with two configs, or of one seed.
///
/// The seeds are the blocks of a randomised block design: a figure is the sum of what is due to its config, what is due
/// to its seed, and an error. The variance of the error is estimated from all configs together, with (n − 1)(m − 1)
/// degrees of freedom for n configs and m seeds: s² = Σ (y_ij − ȳ_i − ȳ_j + ȳ)² / ((n − 1)(m − 1)). Then
/// t = (ȳ_i − ȳ_0) / √(2 s²/m). With two configs this is the paired t test.
///
/// R. A. Fisher, *The design of experiments*, 1935. The errors are taken as normally distributed, with one variance.
///
/// # Panics
///
/// If the rows are of different lengths.
#[must_use]
pub fn against_first(figures: &[Vec<f64>]) -> Option<Vec<Contrast>> {
    let (first, others) = figures.split_first()?;
    let (n, m) = (figures.len(), first.len());
    assert!(figures.iter().all(|row| row.len() == m), "every config has all seeds");
    let freedom = n.saturating_sub(1) * m.saturating_sub(1);
    if freedom < 2 {
        return None;
    }
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count as f64;
    let of_config: Vec<f64> = figures.iter().map(|row| mean(&mut row.iter().copied(), m)).collect();
    let of_seed: Vec<f64> = (0..m).map(|seed| mean(&mut figures.iter().map(|row| row[seed]), n)).collect();
    let of_all = mean(&mut of_config.iter().copied(), n);
    let residual = |config: usize, seed: usize| figures[config][seed] - of_config[config] - of_seed[seed] + of_all;
    let squares: f64 =
        (0..n).flat_map(|config| (0..m).map(move |seed| (config, seed))).map(|(i, j)| residual(i, j).powi(2)).sum();
    let error = (2.0 * squares / freedom as f64 / m as f64).sqrt();
    let student = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    let contrast = |config: usize| {
        let mean = of_config[config] - of_config[0];
        // Less than this is the rounding of the sums.
        let nothing = 1e-14 * of_config[0].abs();
        let p = match error {
            _ if mean.abs() <= nothing => 1.0,
            error if error <= nothing => 0.0,
            error => 2.0 * student.sf((mean / error).abs()),
        };
        let reach = student.inverse_cdf(0.975) * error;
        Contrast { mean, interval: [mean - reach, mean + reach], p }
    };
    Some((1..=others.len()).map(contrast).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paired::Paired;

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() <= 1e-6 * theirs.abs(), "{ours} and not {theirs}");
    }

    /// Python, statsmodels 0.15.0: `smf.ols('y ~ C(config) + C(seed)', data).fit()`, its `pvalues` and `conf_int()`.
    #[test]
    fn the_intervals_and_p_values_are_those_of_a_linear_model_with_the_seeds_as_blocks() {
        let figures = [vec![0.95, 0.96, 0.97], vec![0.94, 0.955, 0.965], vec![0.81, 0.80, 0.82]];
        let found = against_first(&figures).unwrap();
        close(found[0].p, 0.287_864_134_7);
        close(found[1].p, 1.031_419_918e-5);
        close(found[0].mean, -0.02 / 3.0);
        close(found[0].interval[0], -0.021_779_719_57);
        close(found[1].interval[1], -0.134_886_947_1);
    }

    #[test]
    fn of_two_configs_it_is_the_paired_test() {
        let (one, other) = (vec![0.9, 0.8, 0.85, 0.95], vec![0.91, 0.84, 0.86, 0.99]);
        let paired = Paired::of(other.iter().zip(&one).map(|(b, a)| b - a).collect()).unwrap();
        let found = against_first(&[one, other]).unwrap();
        close(found[0].p, paired.p);
        close(found[0].interval[0], paired.interval[0]);
    }

    #[test]
    fn equal_figures_differ_in_nothing_and_too_few_seeds_say_nothing() {
        let same = vec![0.9, 0.8, 0.7];
        assert_eq!(against_first(&[same.clone(), same.clone()]).unwrap()[0].p, 1.0);
        let higher: Vec<f64> = same.iter().map(|figure| figure + 0.125).collect();
        assert_eq!(against_first(&[same, higher]).unwrap()[0].p, 0.0);
        assert_eq!(against_first(&[vec![0.9], vec![0.8], vec![0.7]]), None);
        assert_eq!(against_first(&[vec![0.9, 0.8], vec![0.7, 0.6]]), None);
        assert_eq!(against_first(&[]), None);
    }
}
