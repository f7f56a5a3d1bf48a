//! Where the layers of the suite run, and what the judge draws itself.

use backproof_spec::stream_seed;
use backproof_suite::{CaseId, Context};
use burn::tensor::{DType, Device};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::manifest::Request;

/// How the layers of the suite are run here.
pub(crate) fn context(seed: u64, device: &Device) -> Context {
    Context {
        device: device.clone(),
        reference: device.clone(),
        dtype: DType::F64,
        unit_roundoff: f64::EPSILON / 2.0,
        seed,
        kernels: Vec::new(),
        case: CaseId::general(0),
    }
}

/// The random numbers of a case that are the judge's own.
pub(crate) fn random(request: &Request, number: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(stream_seed(request.seed, &format!("judge {}", request.subject), number, 0))
}
