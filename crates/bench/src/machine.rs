//! The machine in words, for whoever reads figures later.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// What a speed depends on. What the system does not say is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: Option<String>,
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// `L1 data 48K`, … of one core.
    pub(crate) caches: Vec<String>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) system: String,
    /// Instruction sets that matter for arithmetic.
    pub(crate) cpu_features: Vec<&'static str>,
}

impl Machine {
    /// This machine.
    pub(crate) fn here() -> Self {
        Self {
            cpu: cpu(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            caches: caches(Path::new("/sys/devices/system/cpu/cpu0/cache")),
            memory_bytes: read("/proc/meminfo")
                .and_then(|text| memory(&text))
                .or_else(|| sysctl("hw.memsize")?.parse().ok()),
            system: system(),
            cpu_features: cpu_features(),
        }
    }

    /// A line of a table each: what, and which.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let unknown = || "unknown".to_owned();
        let caches = if self.caches.is_empty() { unknown() } else { self.caches.join(", ") };
        vec![
            ("processor", self.cpu.clone().unwrap_or_else(unknown)),
            ("cores", self.cores.to_string()),
            ("caches", caches),
            (
                "memory",
                self.memory_bytes
                    .map_or_else(unknown, |bytes| format!("{:.0} GiB", bytes as f64 / (1_u64 << 30) as f64)),
            ),
            ("system", self.system.clone()),
            ("instructions", self.cpu_features.join(" ")),
        ]
    }
}

/// The instruction sets that matter for arithmetic, as far as this machine has them.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn cpu_features() -> Vec<&'static str> {
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

/// The instruction sets that matter for arithmetic, as far as this machine has them.
#[must_use]
#[cfg(target_arch = "aarch64")]
pub fn cpu_features() -> Vec<&'static str> {
    if std::arch::is_aarch64_feature_detected!("neon") { vec!["neon"] } else { Vec::new() }
}

/// The instruction sets that matter for arithmetic, as far as this machine has them.
#[must_use]
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

/// How many threads of other programs wanted to run over the last minute; `None` where the system does not say.
pub(crate) fn load() -> Option<f64> {
    read("/proc/loadavg")?.split(' ').next()?.parse().ok()
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// A number or a name that macOS knows.
fn sysctl(name: &str) -> Option<String> {
    if !cfg!(target_os = "macos") {
        return None;
    }
    let output = Command::new("sysctl").args(["-n", name]).output().ok()?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn cpu() -> Option<String> {
    read("/proc/cpuinfo").and_then(|text| model_name(&text)).or_else(|| sysctl("machdep.cpu.brand_string"))
}

/// `Model name` of `/proc/cpuinfo`; with family, model and stepping where there are such, since clouds leave the name
/// unspecific.
fn model_name(cpuinfo: &str) -> Option<String> {
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = field("model name")?;
    match (field("cpu family"), field("model"), field("stepping")) {
        (Some(family), Some(model), Some(stepping)) => {
            Some(format!("{name} (family {family}, model {model}, stepping {stepping})"))
        }
        _ => Some(name),
    }
}

fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

/// The caches that one core sees, from Linux's folder of them.
fn caches(folder: &Path) -> Vec<String> {
    let describe = |index: usize| {
        let cache = folder.join(format!("index{index}"));
        let (level, kind, size) = (read(cache.join("level"))?, read(cache.join("type"))?, read(cache.join("size"))?);
        let kind = if kind == "Unified" { String::new() } else { format!(" {}", kind.to_lowercase()) };
        Some(format!("L{level}{kind} {size}"))
    };
    (0..).map_while(describe).collect()
}

/// The system's name with its version, and the kernel's.
fn system() -> String {
    let release = read("/etc/os-release")
        .and_then(|text| pretty_name(&text))
        .or_else(|| Some(format!("macOS {}", sysctl("kern.osproductversion")?)));
    let kernel = read("/proc/sys/kernel/osrelease").map(|version| format!(", kernel {version}"));
    let name = release.unwrap_or_else(|| std::env::consts::OS.to_owned());
    format!("{name}{} on {}", kernel.unwrap_or_default(), std::env::consts::ARCH)
}

fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_told_by_its_name_and_numbers() {
        let text =
            "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Xeon\nstepping\t: 8\n\nprocessor\t: 1\n";
        assert_eq!(model_name(text).unwrap(), "Xeon (family 6, model 143, stepping 8)");
        assert_eq!(model_name("model name : Something\n").unwrap(), "Something");
        assert_eq!(model_name("processor : 0\n"), None);
    }

    #[test]
    fn memory_and_system_are_read_as_linux_writes_them() {
        assert_eq!(memory("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24 << 20));
        assert_eq!(pretty_name("ID=x\nPRETTY_NAME=\"Debian 13\"\n").unwrap(), "Debian 13");
    }

    #[test]
    fn caches_are_listed_as_one_core_sees_them() {
        let folder = tempfile::tempdir().unwrap();
        for (index, [level, kind, size]) in [["1", "Data", "48K"], ["2", "Unified", "2048K"]].iter().enumerate() {
            let cache = folder.path().join(format!("index{index}"));
            fs::create_dir(&cache).unwrap();
            for (file, text) in [("level", level), ("type", kind), ("size", size)] {
                fs::write(cache.join(file), format!("{text}\n")).unwrap();
            }
        }
        assert_eq!(caches(folder.path()), ["L1 data 48K", "L2 2048K"]);
        assert!(caches(Path::new("/nowhere")).is_empty());
    }
}
