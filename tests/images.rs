//! A user's own images, from a folder to everything that a run is good for, as typed.

use std::fs;
use std::path::Path;
use std::process::Command;

use backproof_tests::{backproof, json, latest, root, stderr, stdout, xtask};

/// The bundled digits as a folder of PNG files in `folder`.
fn digits(folder: &Path) {
    let text = stdout(&backproof(folder).args(["data", "export", "mnist-sample", "digits"]).assert().success());
    assert!(text.starts_with("mnist-sample: 4000 training, 500 validation and 500 test images in digits\n"), "{text}");
}

/// The quickstart's config, changed in its lines of the data set.
fn quickstart(data: &str) -> String {
    let text = fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    text.replace("dataset = \"mnist-sample\"", data)
}

/// The metrics of a run, without what depends on the time.
fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let without_times = |line: &str| {
        let mut report: serde_json::Value = serde_json::from_str(line).unwrap();
        let report_as_map = report.as_object_mut().unwrap();
        report_as_map.retain(|key, _| !key.contains("second"));
        report
    };
    text.lines().map(without_times).collect()
}

#[test]
fn the_digits_as_a_folder_give_the_very_numbers_of_the_digits() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    let config = root().join("configs/your-images/digits.toml");
    let data = ["--data-dir", "data"];
    backproof(folder.path()).arg("train").args(data).assert().success();
    let text = stdout(&backproof(folder.path()).args(["train", "-c"]).arg(config).args(data).assert().success());
    assert!(text.contains("data         digits: 4000 training, 500 validation, 500 test images\n"), "{text}");
    let [known, own] = ["quickstart", "digits"].map(|name| latest(folder.path(), name));
    assert_eq!(metrics(&known), metrics(&own));
    for file in ["checkpoints/last/weights.safetensors", "evaluation/predictions.csv", "normalizer.json"] {
        assert!(fs::read(known.join(file)).unwrap() == fs::read(own.join(file)).unwrap(), "{file} differs");
    }
    let record = json(&own.join("run.json"));
    assert_eq!(record["class_names"].as_array().unwrap().len(), 10);
    assert_eq!(record["data_checksums"]["digits"].as_str().unwrap().len(), 64);
}

#[test]
fn train_images_reaches_the_accuracy_of_the_quickstart_and_every_command_takes_its_run() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    let in_folder = |words: &[&str]| {
        let mut command = backproof(folder.path());
        command.args(words).env("BACKPROOF_DATA_DIR", "data");
        command
    };
    // What is chosen fits what is asked for: 125 iterations are an epoch, and the usual warm-up is 125 iterations.
    let lengths = [("training.epochs=2", "2.00"), ("training.iterations=30", "0.24"), ("optimizer.warmup=7", "20.00")];
    for (set, epochs) in lengths {
        let text = stdout(&in_folder(&["train", "--images", "digits", "--dry-run", "--set", set]).assert().success());
        assert!(text.contains(&format!("epochs       {epochs} of 125 iterations")), "{set}: {text}");
    }
    let text = stdout(&in_folder(&["train", "--images", "digits"]).assert().success());
    let run = latest(folder.path(), "digits");
    let result = json(&run.join("evaluation/result.json"));
    assert!(result["accuracy"].as_f64().unwrap() >= 0.97, "{text}");
    let run = run.to_str().unwrap();
    let three = "digits/test/3/000003.png";
    let text = stdout(&in_folder(&["predict", run, three]).assert().success());
    assert!(text.starts_with(&format!("{three}: 3, ")), "{text}");
    let text = stdout(&in_folder(&["evaluate", run]).assert().success());
    assert!(
        text.starts_with(&format!("test accuracy {:.2} %", 100.0 * result["accuracy"].as_f64().unwrap())),
        "{text}"
    );
    in_folder(&["explain", run]).assert().success();
    in_folder(&["report", run]).assert().success();
    let config = format!("{run}/config.toml");
    in_folder(&["compare-gradients", "-c", &config, "--cases", "1"]).assert().success();
    in_folder(&["resume", run, "--iterations", "2510"]).assert().success();

    // The folder changes: who evaluates is told, and who would go on is stopped.
    fs::remove_file(folder.path().join("digits/train/3/000007.png")).ok();
    fs::copy(folder.path().join(three), folder.path().join("digits/train/3/copy.png")).unwrap();
    let assert = in_folder(&["evaluate", run]).assert().success();
    let text = stderr(&assert);
    assert!(text.contains("warning: the files of digits are not those that the run was trained on"), "{text}");
    assert!(text.contains("in the training set and in the test set"), "{text}");
    assert!(text.contains("copy.png` = `test/3/000003.png`"), "{text}");
    let text = stderr(&in_folder(&["resume", run, "--iterations", "2520"]).assert().code(1));
    assert!(text.contains("digits"), "{text}");
}

/// Ten ways to damage a file, and one that is whole.
fn damaged(way: usize, whole: &[u8]) -> Vec<u8> {
    let half = whole.len() / 2;
    match way {
        0 => Vec::new(),
        1 => whole[..half].to_vec(),
        2 => whole[..20].to_vec(),
        3 => b"<html>not found</html>".to_vec(),
        4 => vec![0; whole.len()],
        5 => [&b"XXXX"[..], &whole[4..]].concat(),
        6 => whole[..whole.len() - 12].iter().copied().chain([0; 12]).collect(),
        7 => [&whole[..half], &[0x55; 40][..], &whole[half + 40..]].concat(),
        8 => [&whole[..16], &u32::to_be_bytes(100_000)[..], &u32::to_be_bytes(100_000)[..], &whole[24..]].concat(),
        _ => b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n".to_vec(),
    }
}

#[test]
fn damaged_files_are_listed_exactly_and_the_others_are_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    // One in a hundred of the training images.
    let mut expected = Vec::new();
    for (at, index) in (0..4_000).step_by(100).enumerate() {
        let name = format!("{index:06}.png");
        let class = (0..10).find(|class| folder.path().join(format!("digits/train/{class}/{name}")).exists()).unwrap();
        let path = folder.path().join(format!("digits/train/{class}/{name}"));
        let whole = fs::read(&path).unwrap();
        fs::write(&path, damaged(at % 10, &whole)).unwrap();
        expected.push(format!("digits/train/{class}/{name}"));
    }
    let train = |more: &[&str]| {
        let mut command = backproof(folder.path());
        command.args(["train", "--images", "digits", "--smoke", "--data-dir", "data"]).args(more);
        command
    };
    // Some of them may be among those that are looked at for the size.
    let refused = stderr(&train(&[]).assert().failure());
    assert!(refused.contains("40 files of `") && refused.contains("digits` cannot be read:"), "{refused}");
    assert!(refused.contains("`skip_unreadable = true` under [data] trains without them"), "{refused}");
    let text = stdout(&train(&["--set", "data.skip_unreadable=true"]).assert().success());
    let listed: Vec<&str> =
        text.lines().filter_map(|line| line.trim_start().split_once(".png: ")).map(|(path, _)| path).collect();
    let named = |path: &String| listed.iter().any(|it| format!("{it}.png").ends_with(path.as_str()));
    assert!(expected.iter().all(named) && listed.len() == 40, "{text}");
    assert!(text.contains("data         digits: 3960 training, 500 validation, 500 test images"), "{text}");
    let log = fs::read_to_string(latest(folder.path(), "digits").join("log.txt")).unwrap();
    assert!(log.contains("data: left out: 40 files of `"), "{log}");
}

#[test]
fn what_is_wrong_with_a_folder_is_said_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let leaves = folder.path().join("leaves");
    fs::create_dir_all(leaves.join("oak")).unwrap();
    fs::write(leaves.join("oak/1.png"), b"-").unwrap();
    let text = stderr(&xtask().args(["train", "--images"]).arg(&leaves).assert().code(2));
    assert!(text.contains("has one class, `oak`; expected at least two"), "{text}");
    assert!(text.contains("help: make a folder for each class"), "{text}");
    let text = stderr(&xtask().args(["train", "--images"]).arg(folder.path().join("leafs")).assert().code(2));
    assert!(text.contains("leafs` is not there") && text.contains("did you mean `"), "{text}");
    let text = stderr(&xtask().args(["train", "--images", "x", "-c", "y"]).assert().code(2));
    assert!(text.contains("cannot be used with"), "{text}");
    let config = quickstart(&format!("folder = \"{}\"", leaves.display()));
    let path = folder.path().join("own.toml");
    fs::write(&path, config).unwrap();
    let text = stderr(&xtask().args(["config", "check"]).arg(&path).assert().code(2));
    assert!(text.contains("has one class, `oak`") && text.contains("folder = "), "{text}");
}

#[test]
fn colour_pictures_of_many_formats_and_odd_class_names_train_and_report() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = root().join("tests/fixtures/pictures");
    let names = ["<b>bold<b> & \"quoted\"", "pipe | and 葉", &"long ".repeat(40)];
    for name in names {
        let class = folder.path().join("own").join(name.trim());
        fs::create_dir_all(&class).unwrap();
        for file in ["rgb.png", "baseline.jpg", "palette.gif", "rgb.bmp", "lossless.webp", "lzw.tif", "turned-6.jpg"] {
            fs::copy(pictures.join(file), class.join(file)).unwrap();
        }
    }
    let mut command = backproof(folder.path());
    command.args(["train", "--images", "own", "--smoke", "--set", "data.size=[16, 24]", "--data-dir", "data"]);
    let assert = command.args(["--set", "data.background=#ff0000", "--set", "data.resize=pad"]).assert().success();
    assert!(stderr(&assert).contains("in two classes"), "{}", stderr(&assert));
    let run = latest(folder.path(), "own");
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("size = [16, 24]\nchannels = 3\nresize = \"pad\"\nbackground = \"#ff0000\""), "{config}");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(!page.contains("<b>bold") && page.contains("&lt;b&gt;bold&lt;"), "names are text");
    let png = pictures.join("alpha.png");
    let text = stdout(&backproof(folder.path()).arg("predict").arg(&run).arg(&png).assert().success());
    assert!(text.contains("alpha.png: "), "{text}");
}

#[test]
fn two_processes_make_the_same_cache_at_once() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    let start = |name: &str| {
        let mut command = Command::new(backproof_tests::program());
        command.current_dir(folder.path()).args(["train", "--images", "digits", "--smoke", "--data-dir", "data"]);
        command.args(["--name", name]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let mut processes = ["one", "other"].map(start);
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let [one, other] =
        ["one", "other"].map(|name| fs::read(latest(folder.path(), name).join("evaluation/predictions.csv")));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(fs::read_dir(folder.path().join("data/images")).unwrap().count(), 1);
}
