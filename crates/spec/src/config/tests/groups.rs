//! `[[optimizer.groups]]`: what they take over, and what is wrong with them.

use super::{SPELLED_OUT, read};
use crate::{Adam, Experiment, Lookahead, OptimizerKind, Schedule};

fn with(lines: &str, overrides: &[&str]) -> Result<Experiment, String> {
    let text = SPELLED_OUT.replace("[training]", &format!("{lines}\n[training]"));
    assert!(text.contains(lines));
    read(&text, overrides).map_err(|error| error.to_string())
}

const TWO: &str = "[[optimizer.groups]]\nparameters = \"*.bias\"\nweight_decay = 0\n\
                   [[optimizer.groups]]\nparameters = [\"linear1.*\", \"conv1.weight\"]\nkind = \"adam\"\nbeta_1 = 0.8\n\
                   frozen_until = 3";

#[test]
fn a_group_has_what_it_says_and_else_what_the_table_has() {
    let optimizer = with(TWO, &["optimizer.momentum=0.7", "optimizer.warmup=5"]).unwrap().optimizer;
    let [biases, linear] = &optimizer.groups[..] else { panic!("{optimizer:?}") };
    // The same kind: all numbers but the one that it gives.
    assert_eq!(biases.rule.kind, optimizer.rule.kind);
    assert!(matches!(biases.rule.kind, OptimizerKind::Momentum { momentum: 0.7, .. }), "{biases:?}");
    assert_eq!((biases.rule.weight_decay, biases.rule.warmup, biases.rule.schedule), (0.0, 5, optimizer.rule.schedule));
    assert_eq!((biases.frozen_from, biases.frozen_until), (None, None));
    // Another kind: its own defaults, and of the table what goes with every kind.
    let adam = Adam { beta_1: 0.8, beta_2: 0.999, epsilon: 1e-8, amsgrad: false };
    assert_eq!(linear.rule.kind, OptimizerKind::Adam(adam));
    assert_eq!((linear.rule.learning_rate, linear.rule.weight_decay), (optimizer.rule.learning_rate, 0.0));
    assert_eq!((linear.rule.warmup, linear.frozen_until), (5, Some(3)));
    assert!(biases.has("residual1.body.conv1.bias") && !biases.has("conv1.weight"));
    assert!(linear.has("linear1.bias") && linear.has("conv1.weight") && !linear.has("conv11.weight"));
}

#[test]
fn overrides_reach_a_group_by_its_number() {
    let set = ["optimizer.groups.1.learning_rate=0.125", "optimizer.groups.0.schedule=linear"];
    let optimizer = with(TWO, &set).unwrap().optimizer;
    assert_eq!(optimizer.groups[1].rule.learning_rate, 0.125);
    assert_eq!(optimizer.groups[0].rule.schedule, Schedule::Linear { final_fraction: 0.0 });
    let error = with(TWO, &["optimizer.groups.2.learning_rate=0.1"]).unwrap_err();
    assert!(error.contains("`groups` has 2 items, counted from 0; there is no `2`"), "{error}");
}

#[test]
fn a_schedule_ends_where_a_group_is_frozen() {
    let lines =
        "[[optimizer.groups]]\nparameters = \"*.bias\"\nschedule = \"linear\"\nlearning_rate = 1\nfrozen_from = 4";
    let optimizer = with(lines, &[]).unwrap().optimizer;
    let rates = [0, 1, 2, 3].map(|step| optimizer.groups[0].learning_rate_at(step, 100));
    assert_eq!(rates, [1.0, 0.75, 0.5, 0.25]);
    assert_eq!([3, 4, 5].map(|step| optimizer.groups[0].is_updated_at(step)), [true, false, false]);
    let until = with(TWO, &[]).unwrap().optimizer;
    assert_eq!([2, 3].map(|step| until.groups[1].is_updated_at(step)), [false, true]);
}

#[test]
fn the_rest_of_the_table_is_read() {
    let lines = "clipping = { type = \"norm\", most = 0.5 }\nlookahead = { every = 6 }";
    let optimizer = with(lines, &[]);
    let optimizer = optimizer.unwrap().optimizer;
    assert_eq!(optimizer.clipping, Some(crate::Clipping::Norm { most: 0.5 }));
    assert_eq!(optimizer.lookahead, Some(Lookahead { every: 6, share: 0.5 }));
}

#[test]
fn what_is_wrong_with_a_group_is_told_once_with_a_way_out() {
    let group = |lines: &str| format!("[[optimizer.groups]]\n{lines}");
    let cases = [
        (group("kind = \"adam\""), "missing key `parameters` in [optimizer.groups]", "add `parameters = "),
        (group("parameters = 3"), "`parameters` should be a pattern", "got 3"),
        (group("parameters = []"), "`parameters` should be a pattern", "got []"),
        (group("parameters = \"conv9.*\""), "has no parameter that `conv9.*` stands for", "conv1.weight"),
        (group("parameters = \"cnov1.weight\""), "has no parameter that", "did you mean `conv1.weight`?"),
        (group("parameters = \"a**\""), "`a**` is not a pattern", "recursive wildcard"),
        (group("parameters = \"*\"\nmomentums = 0.5"), "unknown key `momentums`", "did you mean `momentum`?"),
        (
            group("parameters = \"*\"\nkind = \"adam\"\nmomentum = 0.5"),
            "`momentum` is not a key of the optimizer",
            "adam",
        ),
        (group("parameters = \"*\"\nkind = \"adan\""), "unknown value `adan` for `kind`", "did you mean `adam`?"),
        (group("parameters = \"*\"\nkind = \"muon\""), "muon is for weights that are matrices", "narrow the patterns"),
        (group("parameters = \"*\"\nfrozen_from = 3\nfrozen_until = 3"), "is frozen always", "write `frozen_from = 0`"),
        (group("parameters = \"*\"\nwarmup = 1000"), "warmup = 1000 is more than the 100 iterations", "warmup = 1000"),
        ("groups = 3".to_owned(), "`groups` should be tables, each [[optimizer.groups]], got 3", "groups"),
        ("groups = [3]".to_owned(), "an item of `optimizer.groups` should be a table, got 3", "groups"),
        ("clipping = { type = \"norm\" }".to_owned(), "missing key `most`", "most = 1.0"),
        ("clipping = { type = \"norm\", most = 0 }".to_owned(), "`most` should be a number above 0", "got 0"),
        ("lookahead = { every = 0 }".to_owned(), "`every` should be an integer of at least 1", "got 0"),
        ("lookahead = { share = 2 }".to_owned(), "`share` should be a number in (0, 1]", "got 2"),
    ];
    for (lines, message, help) in cases {
        let error = with(&lines, &[]).unwrap_err();
        assert!(error.contains(message) && error.contains(help), "{lines}\n{error}");
        assert_eq!(error.matches(message).count(), 1, "{error}");
    }
    let error = with("", &["optimizer.kind=muon"]).unwrap_err();
    assert!(
        error.contains("muon is for weights that are matrices") && error.contains("[[optimizer.groups]]"),
        "{error}"
    );
    // A fault of [optimizer] that a group takes over is one fault.
    let error = with(TWO, &["optimizer.learning_rate=-1"]).unwrap_err();
    assert_eq!(error.matches("`learning_rate` should be").count(), 1, "{error}");
}
