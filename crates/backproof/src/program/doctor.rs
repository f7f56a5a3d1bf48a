//! `doctor`: what this machine has.

use backproof::backend::Backend;
use backproof::cli::Doctor;
use backproof_data::sources;

use crate::device;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(arguments: &Doctor) -> anyhow::Result<()> {
    println!("backproof    {}", env!("CARGO_PKG_VERSION"));
    println!("system       {} on {}", std::env::consts::OS, std::env::consts::ARCH);
    let cores = std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |n| n.to_string());
    println!("CPU cores    {cores}");
    println!("CPU features {}", cpu_features().join(" "));

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
    for &source in sources() {
        println!("  {:<14}{}", source.name(), crate::data::state(source, arguments.places.data_dir.as_deref()));
    }
    Ok(())
}

/// The instruction sets that matter for arithmetic, as far as this machine has them.
#[cfg(target_arch = "x86_64")]
pub(crate) fn cpu_features() -> Vec<&'static str> {
    let found = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    found.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect()
}

#[cfg(target_arch = "aarch64")]
pub(crate) fn cpu_features() -> Vec<&'static str> {
    if std::arch::is_aarch64_feature_detected!("neon") { vec!["neon"] } else { Vec::new() }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}
