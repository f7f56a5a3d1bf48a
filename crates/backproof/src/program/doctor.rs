//! `doctor`: what this machine has.

use backproof::backend::Backend;
use backproof::cli::DoctorArguments;
use backproof_data::sources;

use crate::device;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(arguments: &DoctorArguments) -> anyhow::Result<()> {
    println!("backproof    {}", env!("CARGO_PKG_VERSION"));
    println!("system       {} on {}", std::env::consts::OS, std::env::consts::ARCH);
    let cores = std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |n| n.to_string());
    println!("CPU cores    {cores}");
    println!("CPU features {}", backproof_bench::cpu_features().join(" "));

    println!("\nbackends");
    for backend in Backend::ALL {
        let state = if device::is_built_in(backend) {
            match device::open(backend) {
                Ok(device) => format!("works: {}", device::describe(backend, &device)),
                Err(failure) => format!("built in, but {failure}"),
            }
        } else {
            format!("not built in; `--backend {}` builds it", backend.name())
        };
        println!("  {:<14}{state}", backend.name());
    }

    println!("\ndata sets");
    let mut absent = Vec::new();
    for &source in sources() {
        match crate::data::state(source, arguments.places.data_dir.as_deref()) {
            Some(state) => println!("  {:<18}{state}", source.name()),
            None => absent.push(source.name()),
        }
    }
    if !absent.is_empty() {
        let text = format!("not here: {}; `cargo xtask data fetch NAME` downloads one", absent.join(", "));
        println!(
            "{}",
            textwrap::fill(&text, textwrap::Options::new(80).initial_indent("  ").subsequent_indent("    "))
        );
    }
    Ok(())
}
