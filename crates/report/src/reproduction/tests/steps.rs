//! Comparisons seed by seed, and what is drawn of them.

use super::*;

const STEPS: &str = "[steps]\nsource = \"Somebody 2020\"\n[[steps.comparisons]]\nname = \"Step 1: <a>\"\n\
                     from = \"a-as-published\"\nto = \"b-as-published\"\n[[steps.comparisons]]\nname = \"Step 2\"\n\
                     from = \"b-as-published\"\nto = \"a\"\n[[mistakes]]\nwhat = \"Late\"\nwhy = \"It is late.\"\n\
                     checks = [\"cargo test\"]\ncomparison = { name = \"What it changes\", from = \"b\", to = \"a\" }\n";

fn table() -> Table {
    let results = result("test = \"48 %\"", "[\"a-as-published\"]")
        + &result("test = \"49.5 %\"", "[\"b-as-published\", \"b\"]")
        + &result("test = \"49 %\"", "[\"a\"]");
    Table::new(&(results + STEPS))
}

/// The cells of the row of a step.
fn step(made: &Reproduction, name: &str) -> Vec<String> {
    let line = made.markdown.lines().find(|line| line.starts_with(&format!("| {name} | "))).unwrap();
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The first is SciPy's example of `paired.rs`; the second is no difference.
fn run_all(table: &Table) {
    let a = [48.1, 47.2, 50.3, 49.9, 46.5, 48.8];
    let b = [49.0, 50.1, 51.2, 49.5, 50.8, 50.9];
    for (seed, (a, b)) in (1..).zip(a.into_iter().zip(b)) {
        table.run("a-as-published", seed, a / 100.0, &[], |_| {});
        table.run("b-as-published", seed, b / 100.0, &[], |_| {});
        table.run("a", seed, (b + if seed % 2 == 0 { 1.0 } else { -1.0 }) / 100.0, &[], |_| {});
    }
    // A seed that only one of them has is in no difference.
    table.run("a-as-published", 99, 0.01, &[], |_| {});
}

#[test]
fn a_step_is_compared_seed_by_seed_and_its_p_value_is_corrected() {
    let table = table();
    run_all(&table);
    let made = table.made();
    let first = step(&made, "Step 1: &lt;a>");
    // SciPy's p is 0.0477; twice that is Holm's for the smaller of two.
    let expected = ["+1.50", "+1.78", "+0.03 to +3.54", "0.095", "6", "noise: not told apart from noise with 6 seeds"];
    assert_eq!(first[1..7], expected);
    assert_eq!(first[7], "`a-as-published` → `b-as-published`");
    assert_eq!(step(&made, "Step 2")[1..3], ["−0.50", "0.00"]);
    assert!(made.markdown.contains("**None of 2 differences is told apart from noise.**"), "{}", made.markdown);
    assert!(made.markdown.contains("](reproduction-steps.svg)"), "{}", made.markdown);
}

#[test]
fn a_difference_that_all_seeds_agree_on_is_real_even_where_the_source_reports_the_opposite() {
    let table = table();
    for seed in 1..=8 {
        let accuracy = 0.5 + 0.01 * seed as f64;
        let jitter = 0.001 * (seed % 3) as f64;
        table.run("a-as-published", seed, accuracy, &[], |_| {});
        table.run("b-as-published", seed, accuracy - 0.02 + jitter, &[], |_| {});
        table.run("a", seed, accuracy - 0.04, &[], |_| {});
        table.run("b", seed, accuracy - 0.04 + jitter, &[], |_| {});
    }
    let made = table.made();
    assert_eq!(step(&made, "Step 1: &lt;a>")[6], "**real**, but the other way than reported");
    assert_eq!(step(&made, "Step 2")[6], "**real**");
    assert!(
        made.markdown.contains("**Of 2 differences, 2 are real.** Real: Step 1: &lt;a>; Step 2."),
        "{}",
        made.markdown
    );
    let words = made.markdown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("### Late It is late. What it changes: the test accuracy with `a` less that with `b` is −0.11 percentage points"),
        "{words}"
    );
    assert!(words.contains("paired over 8 seeds, p 0.0"), "{words}");
}

#[test]
fn without_common_seeds_nothing_is_compared_or_drawn() {
    let table = table();
    table.run("a-as-published", 1, 0.5, &[], |_| {});
    table.run("b-as-published", 2, 0.5, &[], |_| {});
    let made = table.made();
    assert_eq!(step(&made, "Step 2")[1..7], ["−0.50", "–", "–", "–", "0", "not run"]);
    assert!(made.figure.is_none() && !made.markdown.contains("svg"));
    assert!(made.markdown.contains("There are no runs of these steps"), "{}", made.markdown);
    assert!(made.markdown.contains("have no common seeds yet."), "{}", made.markdown);
}

#[test]
fn the_figure_is_well_formed_light_and_dark_and_has_every_mark() {
    let table = table();
    run_all(&table);
    let made = table.made();
    let (name, svg) = made.figure.unwrap();
    assert_eq!(name, "reproduction-steps.svg");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count();
    // Of the legend, and of two steps: six seeds and a mean each.
    assert_eq!(count("circle"), 2 + 2 * 7);
    assert!(svg.contains("prefers-color-scheme: dark") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).map(str::trim).collect();
    for text in ["Step 1: <a>", "noise", "0", "← worse", "reported by Somebody 2020, of one run each"] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
    let description = texts.iter().find(|text| text.starts_with("Differences of the test accuracy")).unwrap();
    let step = "Step 1: <a>: +1.78, interval +0.03 to +3.54, Somebody 2020 reported +1.50; noise.";
    assert!(description.contains(step), "{description}");
    let width: f64 = document.root_element().attribute("width").unwrap().parse().unwrap();
    assert!(width <= 390.0, "letters are smaller than drawn on a telephone");
}

#[test]
fn a_step_whose_configs_have_no_reported_accuracy_is_an_error() {
    let results = result("validation = \"48 %\"", BOTH) + &result("test = \"49.5 %\"", "[\"b-as-published\", \"b\"]");
    let error = Table::new(&(results + STEPS)).error();
    assert!(
        error.ends_with("the step `Step 1: <a>`: Somebody 2020 reports no test accuracy of `a-as-published`"),
        "{error}"
    );
    let nobody = STEPS.replace("source = \"Somebody 2020\"", "source = \"Nobody\"");
    assert!(
        Table::new(&(result("test = \"48 %\"", BOTH) + &nobody)).error().contains("Nobody reports no test accuracy")
    );
}
