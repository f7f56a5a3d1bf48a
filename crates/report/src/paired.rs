//! Two configs that were run with the same seeds: how far apart they are, and whether that is more than noise.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Below it, a corrected p-value tells a difference apart from noise.
pub const LEVEL: f64 = 0.05;

/// A comparison of two configs over the seeds that both have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paired {
    /// The difference of each seed, one config's figure less the other's.
    pub differences: Vec<f64>,
    /// Their mean d̄.
    pub mean: f64,
    /// The 95 % confidence interval of the mean, d̄ ± t₀.₉₇₅(n − 1) s/√n.
    pub interval: [f64; 2],
    /// The two-sided p-value of Student's t test of a mean of 0, t = d̄ √n / s.
    pub p: f64,
}

impl Paired {
    /// The comparison of these differences, one a seed; `None` of fewer than two, which have no deviation.
    ///
    /// Student, *The probable error of a mean*, Biometrika 6, 1908. The test holds where the differences are normally
    /// distributed.
    pub(crate) fn of(differences: Vec<f64>) -> Option<Self> {
        let (mean, deviation) = crate::mean_and_deviation(&differences)?;
        let n = differences.len() as f64;
        let error = deviation? / n.sqrt();
        let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
        let p = match error {
            // Equal differences: the statistic is infinite, or 0/0.
            0.0 if mean == 0.0 => 1.0,
            0.0 => 0.0,
            error => 2.0 * student.sf((mean / error).abs()),
        };
        let reach = student.inverse_cdf(0.975) * error;
        Some(Self { mean, interval: [mean - reach, mean + reach], p, differences })
    }
}

/// The p-values of several tests, corrected so that a false alarm in any of them is as rare as in one: in rising order,
/// the *i*th of *m* is multiplied by m − i + 1, is at least the one before, and at most 1.
///
/// S. Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6, 1979.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| p[one].total_cmp(&p[other]));
    let mut corrected = vec![0.0; p.len()];
    let mut before: f64 = 0.0;
    for (rank, test) in order.into_iter().enumerate() {
        before = before.max((p.len() - rank) as f64 * p[test]).min(1.0);
        corrected[test] = before;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{ours} and not {theirs}");
    }

    /// Python, SciPy 1.17.1: `a=[48.1,47.2,50.3,49.9,46.5,48.8]; b=[49.0,50.1,51.2,49.5,50.8,50.9];
    /// r=stats.ttest_rel(b,a); print(r.pvalue, r.confidence_interval(0.95))`.
    #[test]
    fn the_interval_and_the_p_value_of_a_paired_t_test_are_scipys() {
        let a = [48.1, 47.2, 50.3, 49.9, 46.5, 48.8];
        let b = [49.0, 50.1, 51.2, 49.5, 50.8, 50.9];
        let paired = Paired::of(b.iter().zip(a).map(|(b, a)| b - a).collect()).unwrap();
        close(paired.p, 0.047_683_837_539_504_04);
        close(paired.interval[0], 0.026_769_078_981_854_21);
        close(paired.interval[1], 3.539_897_587_684_813_6);
        close(paired.mean, 10.7 / 6.0);
    }

    /// Python, SciPy 1.17.1: `for df in [1,2,4,9,19]: print(stats.t.ppf(0.975,df), [2*stats.t.sf(t,df) for t in
    /// (0.5,2.0,7.0,30.0)])`.
    #[test]
    fn students_quantiles_and_tails_are_scipys() {
        let expected = [
            (
                1.0,
                12.706_204_736_174_694,
                [0.704_832_764_699_133_5, 0.295_167_235_300_866_5, 0.090_334_470_601_733_1, 0.021_212_804_811_070_85],
            ),
            (
                2.0,
                4.302_652_729_749_462,
                [
                    0.666_666_666_666_666_7,
                    0.183_503_419_072_273_97,
                    0.019_803_941_180_393_14,
                    0.001_109_262_681_959_659,
                ],
            ),
            (
                4.0,
                2.776_445_105_197_793_4,
                [
                    0.643_329_963_181_863_3,
                    0.116_116_523_516_815_56,
                    0.002_192_129_806_692_938_7,
                    7.352_856_097_661_319e-6,
                ],
            ),
            (
                9.0,
                2.262_157_162_798_205,
                [
                    0.629_071_299_826_026_3,
                    0.076_552_823_770_701_01,
                    6.324_738_963_736_693e-5,
                    2.483_704_704_158_263_5e-10,
                ],
            ),
            (
                19.0,
                2.093_024_054_408_308_7,
                [
                    0.622_816_491_286_441_6,
                    0.060_002_036_386_098_34,
                    1.147_155_563_645_604_1e-6,
                    1.809_731_841_725_044_6e-17,
                ],
            ),
        ];
        for (freedom, quantile, tails) in expected {
            let student = StudentsT::new(0.0, 1.0, freedom).unwrap();
            close(student.inverse_cdf(0.975), quantile);
            for (t, tail) in [0.5, 2.0, 7.0, 30.0].into_iter().zip(tails) {
                close(2.0 * student.sf(t), tail);
            }
        }
    }

    #[test]
    fn equal_differences_are_certain_and_none_at_all_say_nothing() {
        assert_eq!(Paired::of(vec![0.5, 0.5, 0.5]).map(|it| (it.p, it.interval)), Some((0.0, [0.5, 0.5])));
        assert_eq!(Paired::of(vec![0.0, 0.0]).map(|it| it.p), Some(1.0));
        assert_eq!(Paired::of(vec![0.5]), None);
        assert_eq!(Paired::of(Vec::new()), None);
    }

    /// Python, statsmodels 0.14: `multipletests([0.01,0.04,0.03,0.005,0.2,0.9,0.8], method='holm')[1]`.
    #[test]
    fn holms_p_values_are_those_of_statsmodels() {
        let expected = [0.06, 0.16, 0.15, 0.035, 0.6, 1.0, 1.0];
        let ours = holm(&[0.01, 0.04, 0.03, 0.005, 0.2, 0.9, 0.8]);
        ours.into_iter().zip(expected).for_each(|(ours, theirs)| close(ours, theirs));
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }
}
