//! `cargo xtask COMMAND`: refuses what is wrong and answers what needs no Burn, else builds `backproof` with the
//! backend that was asked for and runs it. The exit code passes through.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use backproof::backend::Backend;
use backproof::cli::{self, Cli};
use backproof::error::{self, Failure, code};
use backproof::{environment, eprintln, output};
use backproof_spec::counted;

fn main() -> ExitCode {
    let cli = Cli::from_arguments("cargo xtask");
    let result = match backproof::answer(&cli) {
        Some(answer) => {
            answer.map(|()| if output::failed() { ExitCode::from(code::FAILED) } else { ExitCode::SUCCESS })
        }
        None => check(&cli).and_then(build).and_then(|program| run(&program)),
    };
    result.unwrap_or_else(|error| error::show(&error))
}

/// The backend to build, once everything that can be checked without Burn has been.
fn check(cli: &Cli) -> anyhow::Result<Backend> {
    environment::threads()?;
    let device = match &cli.command {
        cli::Command::Train(arguments) => {
            backproof::experiment(arguments)?;
            Some(&arguments.device)
        }
        cli::Command::LrFind(arguments) => {
            backproof::lr_find::request(arguments)?;
            Some(&arguments.device)
        }
        cli::Command::Sweep(arguments) => {
            backproof::sweep(arguments)?;
            Some(&arguments.device)
        }
        cli::Command::CompareGradients(arguments) => {
            backproof::comparison::selection(arguments)?;
            Some(&arguments.device)
        }
        cli::Command::Judge(arguments) => {
            backproof::judging::check(arguments)?;
            None
        }
        cli::Command::Bench(arguments) => {
            backproof::bench::request(arguments)?;
            None
        }
        cli::Command::Resume(arguments) => Some(&arguments.device),
        cli::Command::Evaluate(arguments) => {
            backproof::evaluation(arguments)?;
            Some(&arguments.device)
        }
        cli::Command::Predict(arguments) => Some(&arguments.device),
        cli::Command::Explain(arguments) => Some(&arguments.device),
        cli::Command::Export(arguments) => {
            backproof::exporting::check(arguments)?;
            Some(&arguments.device)
        }
        cli::Command::Serve(arguments) => Some(&arguments.device),
        cli::Command::Reproduction(arguments) => Some(&arguments.device),
        _ => None,
    };
    Ok(device.map_or(Ok(Backend::Flex), |device| Backend::by_name(&device.backend))?)
}

/// Builds `backproof` with the default features and `backend`'s, and gives the program's path.
///
/// Each backend's program is kept under its own name, so that going back and forth between two rebuilds nothing.
#[allow(clippy::print_stderr)] // a first build takes minutes, and should not look like a hang
fn build(backend: Backend) -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let suffix = env::consts::EXE_SUFFIX;
    let kept = target.join("xtask").join(format!("backproof-{}{suffix}", backend.name()));

    let mut cargo = cargo(backend, root, &target);
    if kept.exists() {
        cargo.arg("--quiet");
    } else {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        eprintln!(
            "Building backproof for the backend {}, with Burn and what it needs: about {}. This happens once. Later \
             starts take less than a second.",
            backend.name(),
            build_time(backend, cores)
        );
    }
    // Cargo's own progress goes to stderr, so that stdout has results alone.
    let status = cargo.status().context("cannot run cargo")?;
    if !status.success() {
        let failure = Failure::new(code::FAILED, format!("backproof could not be built for {}", backend.name()));
        return Err(match backend {
            Backend::Cuda => failure.help(
                "the build of Burn's CUDA backend downloads LLVM (crate tracel-llvm-bundler): it needs the network once; \
                 to run it needs an NVIDIA driver and the CUDA toolkit",
            ),
            _ => failure,
        }
        .into());
    }
    let built = target.join("release").join(format!("backproof{suffix}"));
    keep(&built, &kept).with_context(|| format!("cannot keep {}", kept.display()))?;
    Ok(kept)
}

/// The build of `backproof` with the default features and `backend`'s.
fn cargo(backend: Backend, root: &Path, target: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--release", "--locked", "--package", "backproof"]);
    cargo.arg("--features").arg(backend.name()).arg("--target-dir").arg(target);
    // What `cargo run` sets for this program is not for another cargo: the build script of `ring` reads it, so that all
    // that uses `ring` would be built once more.
    for (name, _) in env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// How long a first build takes on so many cores, in words.
fn build_time(backend: Backend, cores: usize) -> String {
    // Seconds of one core of a server, measured for flex; and what no number of cores makes shorter: Burn's largest
    // crate, and linking.
    let (all, least) = match backend {
        Backend::Flex => (880, 240),
        Backend::NdArray => (1_000, 240),
        Backend::Wgpu | Backend::Cuda => (2_200, 300),
    };
    let minutes = (all / cores).max(least).div_ceil(60);
    let (minutes, cores) = (counted(minutes, "minute"), counted(cores, "core"));
    format!("{minutes} on {cores}")
}

/// Makes `kept` the file that `built` is now, by a rename, so that a process that runs the old one is not disturbed.
fn keep(built: &Path, kept: &Path) -> std::io::Result<()> {
    fs::create_dir_all(kept.parent().unwrap_or(Path::new(".")))?;
    let new = kept.with_extension(format!("new-{}", std::process::id()));
    let _ = fs::remove_file(&new);
    if fs::hard_link(built, &new).is_err() {
        fs::copy(built, &new)?;
    }
    fs::rename(&new, kept)?;
    // Renaming a link onto another link of the same file does nothing, and leaves both.
    let _ = fs::remove_file(&new);
    Ok(())
}

/// Runs the program with this process's arguments, in this process's place where the system can.
fn run(program: &Path) -> anyhow::Result<ExitCode> {
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1));
    // The program would warn of them once more.
    for name in Cli::misspelt_variables() {
        command.env_remove(name);
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(command.exec()).with_context(|| format!("cannot run {}", program.display()))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
        Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_built_by_its_feature_into_the_folder_of_the_others() {
        for (backend, name) in [(Backend::NdArray, "ndarray"), (Backend::Wgpu, "wgpu"), (Backend::Cuda, "cuda")] {
            let command = cargo(backend, Path::new("root"), Path::new("folder"));
            let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(words[..5], ["build", "--release", "--locked", "--package", "backproof"]);
            assert_eq!(words[5..], ["--features", name, "--target-dir", "folder"]);
            assert_eq!(command.get_current_dir(), Some(Path::new("root")));
        }
    }

    #[test]
    fn the_time_of_a_build_is_told_for_the_cores_of_the_machine() {
        assert_eq!(build_time(Backend::Flex, 2), "8 minutes on 2 cores");
        assert_eq!(build_time(Backend::Flex, 1), "15 minutes on 1 core");
        assert_eq!(build_time(Backend::Flex, 64), "4 minutes on 64 cores");
    }
}
