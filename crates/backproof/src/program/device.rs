//! Devices of the backends that this binary was built with.

use std::sync::{Arc, Mutex, PoisonError};

use backproof::backend::Backend;
use backproof::environment;
use backproof::error::{Failure, code};
use backproof_spec::counted;
use burn::tensor::{Device, Tensor};

/// Whether this binary holds the backend.
pub(crate) fn is_built_in(backend: Backend) -> bool {
    match backend {
        Backend::Flex => cfg!(feature = "flex"),
        Backend::NdArray => cfg!(feature = "ndarray"),
        Backend::Wgpu => cfg!(feature = "wgpu"),
        Backend::Cuda => cfg!(feature = "cuda"),
    }
}

/// The default device of this backend, proven to work by one addition.
///
/// # Errors
///
/// A backend that was not built in, or that has no device here; both name the command to use.
pub(crate) fn open(backend: Backend) -> Result<Device, Failure> {
    let name = backend.name();
    if !is_built_in(backend) {
        return Err(Failure::usage(format!("this binary was built without the backend `{name}`")).help(format!(
            "`cargo xtask COMMAND --backend {name}` builds and runs it; \
             or build with `cargo build --release -p backproof --features {name}`"
        )));
    }
    // GPU backends panic where there is no device, the first time on a thread of their own; a person gets a sentence
    // instead.
    let first_panic: Arc<Mutex<Option<String>>> = Arc::default();
    let hook = std::panic::take_hook();
    let seen = Arc::clone(&first_panic);
    std::panic::set_hook(Box::new(move |panic| {
        let line = panic.payload_as_str().and_then(|text| text.lines().next()).unwrap_or_default();
        seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| line.to_owned());
    }));
    let device = std::panic::catch_unwind(|| {
        let device = construct(backend);
        let sum: Vec<f64> = (Tensor::<1>::ones([1], &device) + 1.0).into_data().iter().collect();
        (sum == [2.0]).then_some(device)
    });
    std::panic::set_hook(hook);
    let reason = first_panic.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
    match device {
        Ok(Some(device)) => Ok(device),
        Ok(None) => Err(Failure::new(code::FAILED, format!("the device of `{name}` says that 1 + 1 is not 2"))),
        Err(_) => {
            let message = format!("the backend `{name}` found no device that works: {reason}");
            Err(Failure::new(code::FAILED, message).help(device_help(backend)))
        }
    }
}

fn device_help(backend: Backend) -> &'static str {
    match backend {
        Backend::Flex | Backend::NdArray => "this backend needs no device but the CPU; please report this",
        Backend::Wgpu => {
            "it needs a Vulkan, Metal or DirectX 12 driver; on Debian, `apt install mesa-vulkan-drivers libvulkan1` \
             gives one in software. `--backend flex` runs on the CPU"
        }
        Backend::Cuda => "it needs an NVIDIA GPU, its driver and the CUDA toolkit; `--backend flex` runs on the CPU",
    }
}

#[allow(unreachable_code)] // with every feature on, nothing is left for the last arm
fn construct(backend: Backend) -> Device {
    match backend {
        #[cfg(feature = "flex")]
        Backend::Flex => Device::flex(),
        #[cfg(feature = "ndarray")]
        Backend::NdArray => Device::ndarray(),
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Device::cuda(0),
        #[allow(unreachable_patterns)]
        _ => unreachable!("`is_built_in` was asked before"),
    }
}

/// The device in words.
pub(crate) fn describe(backend: Backend, device: &Device) -> String {
    match backend {
        Backend::Flex | Backend::NdArray => {
            let threads = threads();
            let count = format!("CPU, {}", counted(threads, "thread"));
            let model = std::fs::read_to_string("/proc/cpuinfo").ok();
            model.as_deref().and_then(environment::cpu_model).map_or(count.clone(), |model| format!("{count}, {model}"))
        }
        Backend::Wgpu | Backend::Cuda => gpu_name(device),
    }
}

/// How many threads Burn's pool has.
fn threads() -> usize {
    // What is no number was refused when the program began.
    let said = environment::threads().ok().flatten();
    said.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn gpu_name(device: &Device) -> String {
    device.identity().map_or_else(|| format!("{device:?}"), |identity| identity.name)
}

#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
fn gpu_name(device: &Device) -> String {
    format!("{device:?}")
}
