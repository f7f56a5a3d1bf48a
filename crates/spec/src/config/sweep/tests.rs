//! Sweeps into runs, and errors word for word.

use super::read;
use crate::config::{ConfigError, Diagnostic, Location};
use crate::data_set::four;
use crate::{Experiment, OptimizerKind, Sweep};

const BASE: &str = r#"name = "digits"
seed = 7
[data]
dataset = "mnist-sample"
[model]
name = "mnist-baseline"
[optimizer]
learning_rate = 0.05
schedule = { type = "step", every = 10, factor = 0.5 }
[training]
iterations = 100
"#;

fn sweep_with(text: &str, overrides: &[&str]) -> Result<Sweep, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|&it| it.to_owned()).collect();
    read("sweeps/a.toml", text, &overrides, &four(), |path| {
        if path.ends_with("digits.toml") {
            return Ok(BASE.to_owned());
        }
        if path.ends_with("clothes.toml") {
            return Ok(BASE.replace("digits", "clothes").replace("mnist-sample", "fashion-mnist"));
        }
        let location = Location::File { source_name: String::new() };
        let message = "the config cannot be read: not there".to_owned();
        Err(ConfigError::new(vec![Diagnostic { message, location, help: None }]))
    })
}

fn sweep(rest: &str) -> Sweep {
    sweep_with(&format!("base = \"../digits.toml\"\n{rest}"), &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn error(rest: &str) -> String {
    sweep_with(&format!("base = \"../digits.toml\"\n{rest}"), &[]).unwrap_err().to_string()
}

#[test]
fn a_grid_is_every_combination_and_every_seed() {
    let sweep = sweep(
        "seeds = [1, 2, 3]\n[grid]\noptimizer.learning_rate = [0.1, 0.2]\n\"optimizer.momentum\" = [0, 0.5, 0.9]\n",
    );
    assert_eq!(sweep.name, "a");
    assert_eq!(sweep.keys, ["optimizer.learning_rate", "optimizer.momentum"]);
    assert_eq!(sweep.points.len(), 6);
    let settings = |run: &Experiment| {
        let OptimizerKind::Momentum { momentum, .. } = run.optimizer.rule.kind else { panic!("the default optimizer") };
        (run.optimizer.rule.learning_rate, momentum, run.seed)
    };
    let runs: Vec<_> = sweep.runs().map(|(_, run)| settings(run)).collect();
    assert_eq!(runs.len(), 18);
    assert_eq!(runs[..4], [(0.1, 0.0, 1), (0.1, 0.0, 2), (0.1, 0.0, 3), (0.1, 0.5, 1)]);
    assert_eq!(runs[17], (0.2, 0.9, 3));
    assert_eq!(sweep.label(&sweep.points[1]), "learning_rate 0.1, momentum 0.5");
}

#[test]
fn points_are_lists_of_overrides_and_show_what_they_leave_to_the_base() {
    let sweep = sweep(
        "[[points]]\nname = \"as-it-is\"\n[[points]]\nname = \"cosine\"\noptimizer.schedule = { type = \"cosine\" }\n\
         [[points]]\noptimizer.schedule.every = 20\ntraining.iterations = 50\n",
    );
    assert_eq!(sweep.keys, ["optimizer.schedule", "optimizer.schedule.every", "training.iterations"]);
    let names: Vec<_> = sweep.points.iter().map(|point| point.name.as_deref()).collect();
    assert_eq!(names, [Some("as-it-is"), Some("cosine"), None]);
    let texts: Vec<Vec<&str>> =
        sweep.points.iter().map(|point| point.values.iter().map(|it| it.as_deref().unwrap_or("–")).collect()).collect();
    assert_eq!(texts[0], [r#"{ type = "step", every = 10, factor = 0.5 }"#, "10", "100"]);
    assert_eq!(texts[1], [r#"{ type = "cosine", final_fraction = 0.0 }"#, "–", "100"]);
    assert_eq!(texts[2], [r#"{ type = "step", every = 20, factor = 0.5 }"#, "20", "50"]);
    assert_eq!(sweep.points[1].runs[0].name, "cosine");
    assert_eq!(sweep.points[2].runs[0].name, "digits");
    assert!(sweep.runs().all(|(_, run)| run.seed == 7), "the base's seed, without `seeds`");
}

#[test]
fn a_grid_and_points_are_each_point_with_each_combination() {
    let sweep = sweep(
        "[set]\ntraining.iterations = 5\n[grid]\noptimizer.momentum = [0, 0.5]\n\
         [[points]]\nname = \"x\"\n[[points]]\nname = \"y\"\nengine = \"manual\"\n",
    );
    let labels: Vec<_> = sweep.points.iter().map(|point| sweep.label(point)).collect();
    assert_eq!(
        labels,
        [
            "x, momentum 0.0, engine autodiff",
            "y, momentum 0.0, engine manual",
            "x, momentum 0.5, engine autodiff",
            "y, momentum 0.5, engine manual"
        ]
    );
    assert!(sweep.runs().all(|(_, run)| run.training.iterations == 5));
}

#[test]
fn the_keys_of_a_point_may_come_in_any_order() {
    const MODEL_LAYERS: &str = "model.layers = [\"flatten\", { type = \"linear\", out_features = 10 }]\n";
    let keys = ["model.name = \"small\"\n", "model.input = [1, 28, 28]\n", MODEL_LAYERS];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let point: String = order.iter().map(|&key| keys[key]).collect();
        for text in [format!("[[points]]\n{point}"), format!("seeds = [1]\n[set]\n{point}")] {
            let sweep =
                sweep_with(&format!("base = \"../digits.toml\"\n{text}"), &[]).unwrap_or_else(|it| panic!("{it}"));
            let (_, run) = sweep.runs().next().unwrap();
            assert_eq!((run.model.name.as_str(), run.model.layers.len()), ("small", 2), "{text}");
        }
        let overrides: Vec<String> = order.iter().map(|&key| keys[key].replacen(" = ", "=", 1)).collect();
        let overrides: Vec<&str> = overrides.iter().map(|given| given.trim()).collect();
        let sweep = sweep_with("base = \"../digits.toml\"\nseeds = [1]\n", &overrides).unwrap();
        assert_eq!(sweep.runs().next().unwrap().1.model.name, "small");
    }
}

#[test]
fn points_may_start_from_experiments_of_their_own() {
    let sweep = sweep_with(
        "seeds = [1, 2]\n[set]\ntraining.iterations = 5\n[[points]]\nbase = \"../digits.toml\"\n\
         [[points]]\nbase = \"../clothes.toml\"\noptimizer.learning_rate = 0.1\n",
        &["training.batch_size=8"],
    )
    .unwrap();
    let labels: Vec<_> = sweep.points.iter().map(|point| sweep.label(point)).collect();
    assert_eq!(labels, ["digits", "clothes"]);
    let runs: Vec<_> = sweep
        .runs()
        .map(|(_, run)| (run.data.images.name(), run.seed, run.optimizer.rule.learning_rate, run.training.batch_size))
        .collect();
    assert_eq!(
        runs,
        [
            ("mnist-sample", 1, 0.05, 8),
            ("mnist-sample", 2, 0.05, 8),
            ("fashion-mnist", 1, 0.1, 8),
            ("fashion-mnist", 2, 0.1, 8)
        ]
    );
    assert!(sweep.runs().all(|(_, run)| run.training.iterations == 5));
}

#[test]
fn a_point_without_a_base_is_refused_where_the_sweep_has_none() {
    let text = "[[points]]\nbase = \"../digits.toml\"\n[[points]]\nengine = \"manual\"\n";
    let error = sweep_with(text, &[]).unwrap_err().to_string();
    assert!(error.starts_with("this point has no `base`, and the sweep has none\n  --> sweeps/a.toml:3:1"), "{error}");
    let sweep = sweep(text);
    assert_eq!(sweep.points.len(), 2, "the sweep's base is that of a point without one");
    let wrong = sweep_with("[[points]]\nbase = 3\n", &[]).unwrap_err().to_string();
    assert!(wrong.starts_with("`base` should be the path of an experiment's config, got 3"), "{wrong}");
}

#[test]
fn a_fault_in_one_of_several_bases_is_shown_there_or_names_the_run() {
    let text = "[set]\nmodel.name = \"cifar-baseline\"\n[[points]]\nbase = \"../digits.toml\"\n";
    let error = sweep_with(text, &[]).unwrap_err().to_string();
    assert!(error.contains("takes images of 3×32×32, and mnist-sample has 1×28×28"), "{error}");
    let missing = sweep_with("[[points]]\nbase = \"../nothing.toml\"\n", &[]).unwrap_err().to_string();
    assert!(missing.contains("(sweeps/../nothing.toml)\n  --> sweeps/a.toml:2:8"), "{missing}");
    let twice = "[[points]]\nbase = \"../digits.toml\"\n[[points]]\nbase = \"../digits.toml\"\n";
    let twice = sweep_with(twice, &[]).unwrap_err().to_string();
    assert!(twice.starts_with("two runs are the same: base = \"../digits.toml\"\n  --> sweeps/a.toml:3:1"), "{twice}");
}

#[test]
fn a_run_begins_with_the_weights_of_an_earlier_one_with_its_seed() {
    let text = "seeds = [1, 2]\n[[points]]\nname = \"first\"\n[[points]]\nname = \"second\"\n\
                model.init_from = \"sweep:first\"\n";
    let sweep = sweep(text);
    let first: Vec<_> = sweep.runs().map(|(_, run)| sweep.first_weights(run)).collect();
    assert_eq!(first, [None, None, Some(0), Some(1)]);
    let itself = error(&text.replace("sweep:first", "sweep:second"));
    assert!(
        itself.starts_with("no earlier run of the sweep is called `second` and has seed 1\n  --> sweeps/a.toml:7:19"),
        "{itself}"
    );
}

#[test]
fn overrides_hold_for_every_run() {
    let text = "base = \"digits.toml\"\nseeds = [1, 2]\n";
    let sweep = sweep_with(text, &["training.iterations=3"]).unwrap();
    assert!(sweep.runs().all(|(_, run)| run.training.iterations == 3));
    let error = sweep_with(text, &["training.iteration=3"]).unwrap_err().to_string();
    assert!(error.starts_with("unknown key `iteration` in [training]\n  --> --set training.iteration=3"), "{error}");
    assert_eq!(error.matches("unknown key").count(), 1, "a fault of every run is told once:\n{error}");
}

#[test]
fn the_hash_depends_on_the_runs_and_the_backend_alone() {
    let one = sweep("seeds = [1, 2]\n");
    let same = sweep("name = \"b\"\n[[points]]\nname = \"digits\"\n[[points]]\nname = \"x\"\nengine = \"manual\"\n");
    assert_eq!(one.hash("flex"), sweep("# a comment\nseeds = [1, 2]\n[set]\nengine = \"autodiff\"\n").hash("flex"));
    assert_ne!(one.hash("flex"), one.hash("wgpu"));
    assert_ne!(one.hash("flex"), same.hash("flex"));
}

#[test]
fn a_misspelt_key_is_shown_with_the_nearest() {
    assert_eq!(
        error("[grid]\noptimizer.learning_rat = [0.1, 0.2]\n"),
        "unknown key `learning_rat` in [optimizer]
  --> sweeps/a.toml:3:11
   |
 3 | optimizer.learning_rat = [0.1, 0.2]
   |           ^^^^^^^^^^^^
help: did you mean `learning_rate`?"
    );
    let quoted = error("[grid]\n\"optimizer.learning_rat\" = [0.1, 0.2]\n");
    assert!(quoted.contains("3 | \"optimizer.learning_rat\" = [0.1, 0.2]\n   | ^^^^^^^^^^^^^^^^^^^^^^^^"), "{quoted}");
    let own = error("[gird]\noptimizer.momentum = [0.1, 0.2]\n");
    assert!(own.starts_with("unknown key `gird` of a sweep\n  --> sweeps/a.toml:2:2"), "{own}");
    assert!(own.ends_with("help: did you mean `grid`?"), "{own}");
}

#[test]
fn a_value_of_the_wrong_kind_is_shown_where_it_stands_in_the_list() {
    assert_eq!(
        error("[grid]\noptimizer.momentum = [0.5, \"high\"]\n"),
        "`momentum` should be a number in [0, 1), got the string \"high\"
  --> sweeps/a.toml:3:28
   |
 3 | optimizer.momentum = [0.5, \"high\"]
   |                            ^^^^^^"
    );
    assert!(error("seeds = [1, \"two\"]\n").starts_with("`seed` should be an integer of at least 0, got the string"));
    assert!(error("seeds = 3\n").starts_with("`seeds` should be a list of integers, [1, 2, 3], got 3"));
    let single = error("[grid]\noptimizer.momentum = 0.5\n");
    assert!(
        single.starts_with(
            "`optimizer.momentum` in [grid] should be a list of values, or a table with a name for each, got 0.5"
        ),
        "{single}"
    );
    assert!(single.ends_with("help: a value of every run belongs in [set]"), "{single}");
}

#[test]
fn what_is_no_name_no_table_and_no_key_is_refused_at_its_place() {
    for (text, message) in [
        (
            "name = \"a/b\"\nseeds = [1]\n",
            "`name` should be a name of 1 to 64 letters, digits, `-`, `_` or `.`, got the string \"a/b\"\n  --> sweeps/a.toml:2:8",
        ),
        ("points = 3\n", "`points` should be tables, [[points]], got 3\n  --> sweeps/a.toml:2:10"),
        ("set = 3\nseeds = [1]\n", "`set` should be a table, [set], got 3\n  --> sweeps/a.toml:2:7"),
        ("[[points]]\n\"optimizer..momentum\" = 0.5\n", "`optimizer..momentum` is not a key\n  --> sweeps/a.toml:3:1"),
        ("seeds = [1]\n[[frobs]]\n", "unknown key `frobs` of a sweep\n  --> sweeps/a.toml:3:3"),
    ] {
        let found = error(text);
        assert!(found.starts_with(message), "{found}");
    }
    let found = error("seeds = [1]\nfrob = 1\n");
    assert!(found.ends_with("help: a sweep's keys: `name`, `base`, `seeds`, `set`, `grid`, `points`"), "{found}");
    let found = error("seeds = [1]\nlearning_rate = 0.1\n");
    assert!(found.ends_with("belongs in [set], one that varies in [grid], as a list: `learning_rate`"), "{found}");
}

#[test]
fn a_layer_of_the_network_may_vary_by_its_place() {
    let spelled =
        "[set]\nmodel = { input = [1, 28, 28], layers = [\"flatten\", { type = \"linear\", out_features = 10 }] }\n";
    let sweep = sweep(&format!("{spelled}[grid]\nmodel.layers.1.bias = [true, false]\n"));
    let values: Vec<_> = sweep.points.iter().map(|point| point.values[0].as_deref()).collect();
    assert_eq!(values, [Some("true"), Some("false")]);
}

#[test]
fn values_that_do_not_go_together_name_the_run() {
    let text = error("[grid]\ndata.dataset = [\"mnist-sample\", \"cifar-10\"]\n");
    assert!(text.starts_with("`mnist-baseline` takes images of 1×28×28, and cifar-10 has 3×32×32"), "{text}");
    assert!(text.contains(", in the run with data.dataset = \"cifar-10\"\n"), "{text}");
    assert!(text.contains("digits.toml:6:8"), "{text}");
}

#[test]
fn what_varies_nothing_is_refused() {
    assert!(error("").starts_with("nothing varies in this sweep"));
    assert!(error("[grid]\n").starts_with("the grid is empty\n  --> sweeps/a.toml:2:1"), "{}", error("[grid]\n"));
    assert!(error("[grid]\noptimizer.momentum = []\n").starts_with("`optimizer.momentum` has no values"));
    assert!(error("points = []\n").starts_with("`points` is empty"));
    assert!(error("seeds = []\n").starts_with("`seeds` is empty"));
}

#[test]
fn a_missing_base_is_an_error_at_its_line() {
    let text = sweep_with("base = \"../nothing.toml\"\nseeds = [1]\n", &[]).unwrap_err().to_string();
    assert!(text.starts_with("the config cannot be read: not there (sweeps/../nothing.toml)\n"), "{text}");
    assert!(text.contains("--> sweeps/a.toml:1:8"), "{text}");
    let text = sweep_with("seeds = [1]\n", &[]).unwrap_err().to_string();
    assert!(text.starts_with("missing key `base`\n  --> sweeps/a.toml"), "{text}");
}

#[test]
fn runs_that_are_the_same_are_refused() {
    let text = error("[grid]\noptimizer.momentum = [0.5, 0.9, 0.50]\n");
    assert!(text.starts_with("two runs are the same: optimizer.momentum = 0.5\n  --> sweeps/a.toml:3:33"), "{text}");
    assert!(error("seeds = [1, 2, 1]\n").contains("sweeps/a.toml:2:16"));
    let text = error("[[points]]\nname = \"a\"\n[[points]]\nname = \"b\"\nseed = 7\n");
    assert!(text.starts_with("`seed` cannot be in [points]"), "{text}");
    let text = error("[[points]]\nname = \"a\"\n[[points]]\nname = \"b\"\noptimizer.learning_rate = 0.05\n");
    assert!(text.starts_with("two runs are the same: name = \"a\"\n  --> sweeps/a.toml:4:1"), "{text}");
    let text = error("[[points]]\nname = \"a\"\n[[points]]\nname = \"a\"\nengine = \"manual\"\n");
    assert!(text.starts_with("two points are called `a`"), "{text}");
}

#[test]
fn a_key_in_the_grid_and_in_a_point_is_refused() {
    let text = error("[grid]\noptimizer.momentum = [0.5, 0.9]\n[[points]]\noptimizer.momentum = 0.1\n");
    assert!(
        text.starts_with("`optimizer.momentum` is both in [grid] and in a point\n  --> sweeps/a.toml:5:11"),
        "{text}"
    );
}

#[test]
fn too_many_runs_are_refused_before_any_is_made() {
    let list = (0..100).map(|n| format!("0.{n:03}")).collect::<Vec<_>>().join(", ");
    let text =
        error(&format!("seeds = [1, 2]\n[grid]\noptimizer.momentum = [{list}]\noptimizer.weight_decay = [{list}]\n"));
    assert!(text.starts_with("100 × 100 × 2 runs are more than the 10000 that a sweep may have"), "{text}");
}

#[test]
fn a_sweep_is_told_from_an_experiment() {
    assert!(
        Sweep::is_sweep("base = \"a.toml\"\n")
            && Sweep::is_sweep("[[points]]\nname = \"a\"\n")
            && Sweep::is_sweep("[grid]\n")
    );
    assert!(!Sweep::is_sweep(BASE) && !Sweep::is_sweep("seeds = 3\n") && !Sweep::is_sweep("not toml"));
}

#[test]
fn the_sweeps_that_come_with_the_program_are_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/sweeps");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let sweep = Sweep::load(&path, &[], &four()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sweep.name, path.file_stem().unwrap().to_str().unwrap());
        count += 1;
    }
    assert!(count >= 2);
}

#[test]
fn a_name_that_is_a_number_is_shown_in_quotes() {
    let text = error("name = 42\nseeds = [1]\n");
    assert!(text.ends_with("help: in quotes: \"42\""), "{text}");
    let text = error("seeds = [\"1\"]\n");
    assert!(text.ends_with("help: without quotes: 1"), "{text}");
}

#[test]
fn values_of_a_grid_may_have_names_and_layers_are_told_in_words() {
    let layers = r#"["flatten", { type = "linear", out_features = 10 }]"#;
    let deep = r#"["flatten", { type = "linear", out_features = 20 }, "relu", { type = "linear", out_features = 10 }]"#;
    let of = |rest: &str| sweep(&format!("[set]\nmodel.input = [1, 28, 28]\n[grid]\n{rest}"));
    let named =
        of(&format!("model.layers = {{ small = {layers}, deep = {deep} }}\noptimizer.learning_rate = [0.1, 0.2]"));
    assert_eq!(named.keys, ["model.layers", "optimizer.learning_rate"]);
    let values = |sweep: &Sweep, key: usize| -> Vec<String> {
        sweep.points.iter().map(|point| point.values[key].clone().unwrap()).collect()
    };
    assert_eq!(values(&named, 0), ["small", "small", "deep", "deep"]);
    assert_eq!(named.label(&named.points[2]), "layers deep, learning_rate 0.1");
    assert_eq!((named.points[0].runs[0].model.layers.len(), named.points[2].runs[0].model.layers.len()), (2, 4));

    let bare = of(&format!("model.layers = [{layers}, {deep}]"));
    assert_eq!(values(&bare, 0), ["flatten · linear 10", "flatten · linear 20 · ReLU · linear 10"]);
    let item = sweep(&format!(
        "[set]\nmodel.input = [1, 28, 28]\nmodel.layers = {deep}\n[grid]\nmodel.layers.1.out_features = [20, 30]"
    ));
    assert_eq!(values(&item, 0), ["20", "30"]);

    // A schedule by names, and a key of one.
    let schedules = sweep("[grid]\noptimizer.schedule = { none = \"constant\", half = { type = \"cosine\" } }\n");
    assert_eq!(values(&schedules, 0), ["none", "half"]);
    let every = sweep("[grid]\noptimizer.schedule.every = [5, 20]\n");
    assert_eq!(values(&every, 0), ["5", "20"]);
    let rates = sweep("[grid]\noptimizer.learning_rate = { slow = 0.01, fast = 0.1 }\n");
    assert_eq!(values(&rates, 0), ["slow", "fast"]);
    let wrong = error("[grid]\noptimizer.learning_rate = { slow = 0.01, fast = \"x\" }\n");
    assert!(wrong.contains("`learning_rate` should be a number") && wrong.contains("\"x\""), "{wrong}");
}
