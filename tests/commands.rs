//! Commands that need no training, as typed.

use backproof_tests::{backproof, root, stderr, stdout, xtask};

#[test]
fn a_bare_xtask_lists_the_commands() {
    let assert = xtask().assert().success();
    let text = stdout(&assert);
    for command in [
        "train",
        "lr-find",
        "resume",
        "evaluate",
        "sweep",
        "predict",
        "explain",
        "export",
        "serve",
        "compare-gradients",
        "judge",
        "params",
        "data",
        "config",
        "bench",
        "doctor",
        "completions",
    ] {
        assert!(text.contains(&format!("\n  {command} ")), "{command} is not listed:\n{text}");
    }
}

#[test]
fn params_prints_the_published_table() {
    let text = stdout(&xtask().args(["params", "cifar-baseline"]).assert().success());
    assert!(text.contains("conv1     conv 16, 5×5, padding 2  16×32×32    1,200      16   1,216"), "{text}");
    assert!(text.contains("total                                         48,560      42  48,602"), "{text}");
}

#[test]
fn params_tells_running_statistics_from_trained_parameters() {
    let text = stdout(&xtask().args(["params", "petre-cnn"]).assert().success());
    assert!(text.contains("328,810") && text.contains("and 384 running statistics, not trained"), "{text}");
    let text = stdout(&xtask().args(["params", "alexnet"]).assert().success());
    assert!(text.contains("60,965,224"), "{text}");
}

#[test]
fn params_reads_the_network_of_a_config() {
    let text = stdout(&xtask().args(["params", "configs/timurtas-improved.toml"]).assert().success());
    assert!(text.contains("68,086"), "{text}");
}

#[test]
fn a_misspelt_network_gets_the_nearest_name() {
    let assert = xtask().args(["params", "cifar-basline"]).assert().code(2);
    let text = stderr(&assert);
    assert!(text.contains("error: there is no network `cifar-basline`"), "{text}");
    assert!(text.contains("help: did you mean `cifar-baseline`?"), "{text}");
}

#[test]
fn a_misspelt_command_or_flag_is_a_usage_error() {
    xtask().arg("trian").assert().code(2);
    xtask().args(["train", "--smok"]).assert().code(2);
}

#[test]
fn a_bad_config_is_refused_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(
        &path,
        "[data]\ndataset = \"mnist-sample\"\n[model]\nname = \"mnist-baseline\"\n\
         [optimizer]\nlearning_rat = 0.1\n[training]\niterations = 10\n",
    )
    .unwrap();
    // An empty target folder: if this started to build Burn, it would take minutes and leave files.
    let target = folder.path().join("target");
    let assert = xtask().env("CARGO_TARGET_DIR", &target).args(["train", "-c"]).arg(&path).assert().code(2);
    let text = stderr(&assert);
    assert!(text.contains("bad.toml:6:1"), "{text}");
    assert!(text.contains("6 | learning_rat = 0.1"), "{text}");
    assert!(text.contains("^^^^^^^^^^^^"), "{text}");
    assert!(text.contains("did you mean `learning_rate`?"), "{text}");
    assert!(!target.join("release").exists(), "something was built");
}

#[test]
fn every_config_is_valid_and_says_its_command_time_and_result() {
    let mut files: Vec<_> =
        std::fs::read_dir(root().join("configs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(files.len() >= 7);
    xtask().args(["config", "check"]).args(&files).assert().success();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for head in ["# command:", "# time:", "# result:"] {
            assert!(text.contains(head), "{} has no `{head}`", file.display());
        }
        assert!(!text.contains("TO BE MEASURED"), "{}", file.display());
    }
}

#[test]
fn the_defaults_are_a_config_once_the_required_keys_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&xtask().args(["config", "defaults"]).assert().success());
    let path = folder.path().join("defaults.toml");
    std::fs::write(&path, text).unwrap();
    xtask().args(["config", "check"]).arg(&path).assert().success();
}

#[test]
fn a_config_with_every_default_is_the_same_experiment() {
    let folder = tempfile::tempdir().unwrap();
    let once = stdout(&xtask().args(["config", "defaults", "configs/quickstart.toml"]).assert().success());
    let path = folder.path().join("quickstart.toml");
    std::fs::write(&path, &once).unwrap();
    let twice = stdout(&xtask().args(["config", "defaults"]).arg(&path).assert().success());
    assert_eq!(once, twice);
}

#[test]
fn the_schema_is_json() {
    let text = stdout(&xtask().args(["config", "schema"]).assert().success());
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schema["type"], "object");
}

#[test]
fn completions_are_printed() {
    let text = stdout(&xtask().args(["completions", "bash"]).assert().success());
    assert!(text.contains("_backproof"), "{text}");
}

#[test]
fn doctor_says_what_is_here_and_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&backproof(folder.path()).args(["doctor", "--data-dir"]).arg(folder.path()).assert().success());
    assert!(text.contains("flex          works: CPU"), "{text}");
    assert!(text.contains("cuda          not built in; `--backend cuda` builds it"), "{text}");
    assert!(text.contains("mnist-sample      comes with the program"), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("not here: mnist, fashion-mnist, cifar-10,"), "{text}");
    assert!(words.contains("`cargo xtask data fetch NAME` downloads one"), "{text}");
}

#[test]
fn a_backend_that_is_not_built_in_is_an_error_and_no_other_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["train", "--smoke", "--backend", "cuda"]).assert().code(2);
    let text = stderr(&assert);
    assert!(text.contains("built without the backend `cuda`"), "{text}");
    assert!(text.contains("--backend cuda"), "{text}");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn a_misspelt_backend_gets_the_nearest_name() {
    let assert = xtask().args(["train", "--backend", "wpgu"]).assert().code(2);
    assert!(stderr(&assert).contains("help: did you mean `wgpu`?"), "{}", stderr(&assert));
}

/// `cargo xtask`, with the variables as well.
fn xtask_with(variables: &[(&str, &str)]) -> assert_cmd::Command {
    let mut command = xtask();
    command.envs(variables.iter().copied());
    command
}

#[test]
fn an_empty_variable_is_unset() {
    let mut command = xtask();
    for name in ["CONFIG", "SMOKE", "SET", "DATA_DIR", "BACKEND", "NAME", "RUNS_DIR", "TENSORBOARD", "JSON"] {
        command.env(format!("BACKPROOF_{name}"), "");
    }
    // The one fault is the one that was typed.
    let assert = command.args(["train", "--set", "seed=x"]).assert().code(2);
    let text = stderr(&assert);
    assert!(text.starts_with("error: `seed` should be an integer of at least 0, got the string \"x\""), "{text}");
    assert!(!text.contains("BACKPROOF_"), "{text}");
    // With values that clap itself would refuse, were they there.
    let numbers = [("BACKPROOF_JOBS", ""), ("BACKPROOF_SHARD", ""), ("BACKPROOF_SET", "")];
    let assert = xtask_with(&numbers).args(["sweep", "not-there.toml"]).assert().code(2);
    assert!(stderr(&assert).starts_with("error: the config cannot be read"), "{}", stderr(&assert));
}

#[test]
fn the_variable_of_a_flag_is_yes_or_no_in_many_words() {
    let of_a_sweep = |value| {
        let assert = xtask_with(&[("BACKPROOF_SWEEP", value)]).args(["config", "schema"]).assert().success();
        stdout(&assert).contains("\"grid\"")
    };
    for yes in ["1", "yes", "on", "true", "YES"] {
        assert!(of_a_sweep(yes), "{yes}");
    }
    for no in ["0", "no", "off", "false", ""] {
        assert!(!of_a_sweep(no), "{no}");
    }
}

#[test]
fn an_error_names_the_variable_that_it_is_about() {
    for (variable, value, arguments, error, named) in [
        ("SMOKE", "maybe", &["train"][..], "invalid value 'maybe' for '--smoke'", "tip: --smoke comes from"),
        ("JOBS", "0", &["sweep", "a.toml"], "invalid value '0' for '--jobs <N>'", "tip: --jobs comes from"),
        (
            "CONFIG",
            "a.toml",
            &["compare-gradients", "--suite", "burn"],
            "cannot be used with",
            "tip: --config comes from",
        ),
        ("CONFIG", "not-there.toml", &["train"], "the config cannot be read", "note: --config comes from"),
        ("SET", "seed=x", &["train"], "`seed` should be an integer", "note: --set comes from"),
        ("BACKEND", "wpgu", &["train"], "there is no backend `wpgu`", "note: --backend comes from"),
    ] {
        let variable = format!("BACKPROOF_{variable}");
        // A variable that has no part in it is not named by clap's errors.
        let assert = xtask_with(&[(&variable, value), ("BACKPROOF_PEER", "x")]).args(arguments).assert().code(2);
        let text = stderr(&assert);
        let named = format!("{named} the variable {variable}");
        assert!(text.contains(error) && text.contains(&named) && !text.contains("PEER"), "{variable}: {text}");
    }
    let assert = xtask_with(&[("BACKPROOF_SMOKE", "1")]).args(["train", "--smok"]).assert().code(2);
    assert!(!stderr(&assert).contains("BACKPROOF_SMOKE"), "{}", stderr(&assert));
}

#[test]
fn a_variable_that_is_not_known_is_a_warning_with_the_nearest_name() {
    let set = [
        ("BACKPROOF_CONFG", "x"),
        ("BACKPROOF_QUUX", "x"),
        ("BACKPROOF_EMPTY", ""),
        ("BACKPROOF_TEST_QUUX", "x"),
        ("BACKPROOF_CHECKS", "7"),
        ("BACKPROOF_LOG", "off"),
    ];
    let warnings = "warning: Backproof has no variable BACKPROOF_CONFG; did you mean `BACKPROOF_CONFIG`?\n\
                    warning: Backproof has no variable BACKPROOF_QUUX, and ignores it\n";
    // `doctor` runs in the program that `cargo xtask` starts, and `params` in `cargo xtask` itself.
    for arguments in [&["doctor"][..], &["params", "mnist-baseline"]] {
        for mut command in [backproof(root()), xtask()] {
            let assert = command.envs(set).args(arguments).assert().success();
            assert_eq!(stderr(&assert), warnings);
        }
    }
    // What it should have said is missing then, and the warning stands before that error.
    let assert = xtask_with(&set).args(["train", "--set", "seed=x"]).assert().code(2);
    assert!(stderr(&assert).starts_with(&format!("{warnings}error: ")), "{}", stderr(&assert));
}

#[test]
fn the_variable_of_set_holds_several_overrides() {
    let check = |value| {
        let mut command = xtask_with(&[("BACKPROOF_SET", value)]);
        command.args(["config", "check", "configs/quickstart.toml"]);
        command
    };
    let value = "optimizer.schedule={ type = \"step\", every = 5, factor = 0.5 }; name=several";
    let text = stdout(&check(value).assert().success());
    assert!(text.ends_with("several is valid\n"), "{text}");
    let text = stderr(&check("name=several\nseed=x").assert().code(2));
    assert!(text.contains("--> --set seed=x"), "{text}");
    // What is typed counts instead.
    let text = stdout(&check("seed=x").args(["--set", "name=typed"]).assert().success());
    assert!(text.ends_with("typed is valid\n"), "{text}");
}

#[test]
fn a_string_is_taken_as_it_is_typed() {
    for name in ["42", "1.5", "2024-01-01", "true"] {
        let set = format!("name={name}");
        let text =
            stdout(&xtask().args(["config", "check", "configs/quickstart.toml", "--set", &set]).assert().success());
        assert!(text.ends_with(&format!("{name} is valid\n")), "{text}");
    }
}

#[test]
fn help_for_a_number_is_a_number_that_can_be_typed() {
    let check = |set: &str| {
        let mut command = xtask();
        command.args(["config", "check", "configs/quickstart.toml", "--set", set]);
        command
    };
    let text = stderr(&check("optimizer.learning_rate=.01").assert().code(2));
    assert!(text.contains("help: write it as 0.01") && !text.contains("quotes"), "{text}");
    check("optimizer.learning_rate=0.01").assert().success();
    for value in ["NaN", "\"NaN\""] {
        let text = stderr(&check(&format!("optimizer.learning_rate={value}")).assert().code(2));
        assert!(!text.contains("help:"), "{text}");
    }
    let text = stderr(&check("seed=\"007\"").assert().code(2));
    assert!(text.contains("help: without quotes: 7\n"), "{text}");
}

#[test]
fn one_of_a_thing_is_said_in_the_singular() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = folder.path().join("one.toml");
    let base = root().join("configs/quickstart.toml");
    std::fs::write(&sweep, format!("base = '{}'\nseeds = [1]\n", base.display())).unwrap();
    let text = stdout(&xtask().args(["config", "check"]).arg(&sweep).assert().success());
    assert!(text.ends_with("one is valid: 1 run at 1 point\n"), "{text}");

    let sets =
        ["model.input=[1, 28, 28]", "model.layers=[{ type = \"linear\", out_features = 1 }]", "model.layers.1.x=1"];
    let mut command = xtask();
    command.args(["config", "check", "configs/quickstart.toml"]);
    for set in sets {
        command.args(["--set", set]);
    }
    let text = stderr(&command.assert().code(2));
    assert!(text.starts_with("error: `layers` has 1 item, counted from 0; there is no `1`"), "{text}");
}

#[test]
fn a_suggested_command_can_be_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two words.toml");
    std::fs::copy(root().join("configs/quickstart.toml"), &path).unwrap();
    let text = stderr(&xtask().arg("sweep").arg(&path).assert().code(2));
    assert!(text.contains(&format!("help: `train -c '{}'` trains it", path.display())), "{text}");
}
