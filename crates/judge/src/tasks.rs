//! The text of each task: what the forward is, and which conventions it follows. What the backward is, a student finds.

/// What is said of a layer or a loss.
pub(crate) struct Task<'t> {
    pub(crate) title: &'t str,
    /// The forward, as formulas in plain text.
    pub(crate) forward: &'t str,
    /// Conventions, a sentence each.
    pub(crate) conventions: &'static [&'static str],
}

const WINDOWS: &str = "Pairs are [height, width]. Padding adds so many rows above and below, and so many columns on the \
                       left and on the right. The output has ⌊(H + 2 padding − dilation (K − 1) − 1) / stride⌋ + 1 rows, \
                       and columns in the same way; without an option `dilation` it is 1.";
const CEIL: &str = "With `ceil_mode` 1 the division is rounded up, but a window that would begin beyond the image and its \
                    padding on the left or above is left out.";
const PER_SAMPLE: &str = "The output is one number a sample, not their mean: where a mean over the batch is meant, the \
                          incoming gradient g has the 1/N already. Do not divide by N again.";
const KINK: &str = "At x = 0 the exercise asks for the gradient of the negative side.";
const BIASED: &str =
    "The variance is the mean of squared deviations, divided by the number of elements and not by one less.";

/// The task of a layer or a loss; none for an optimizer.
pub(crate) fn task(subject: &str) -> Option<Task<'static>> {
    let (title, forward, conventions): (_, _, &'static [&'static str]) = match subject {
        "linear" => ("A linear layer", "y[n, o] = Σ_i x[n, i] weight[i, o] + bias[o]", &[]),
        "conv2d" => (
            "A convolution",
            "y[n, o, i, j] = bias[o] + Σ_c,k,l weight[o, c, k, l] x[n, c′, i·stride − padding + k·dilation, \
             j·stride − padding + l·dilation]\n\nRow indices take the first number of each pair, column indices the \
             second; x is 0 outside of the image. With `groups` G, the output channels are G equal groups one after the \
             other, and so are the input channels: c counts within the group of o, and c′ is that channel of x.",
            &["The kernel is not flipped: this is a correlation, as in PyTorch. MATLAB's `conv2` flips it.", WINDOWS],
        ),
        "max_pool2d" => (
            "Max pooling",
            "y[n, c, i, j] = max over the window of x[n, c, i·stride − padding + k·dilation, j·stride − padding + \
             l·dilation], 0 ≤ k < kernel[0], 0 ≤ l < kernel[1]",
            &[
                "Of equal values in a window, the first one row by row has the gradient, and the others none. MATLAB's \
                 `max` over a column finds the first one column by column.",
                "Padding never wins.",
                WINDOWS,
                CEIL,
            ],
        ),
        "avg_pool2d" => (
            "Average pooling",
            "y[n, c, i, j] = the sum over the window of x, divided by a count",
            &[
                "With `count_include_pad` 1 the count is that of all places of the window in the image or its padding; \
                 with 0 it is that of places in the image.",
                WINDOWS,
                CEIL,
            ],
        ),
        "global_avg_pool" => {
            ("The mean of each channel", "y[n, c] = 1/(H W) Σ_i,j x[n, c, i, j], in the shape N×C×1×1", &[])
        }
        "flatten" => (
            "Flatten",
            "y[n, :] = the elements of x[n] one after the other: channel by channel, row by row. The column is the \
             fastest index",
            &["MATLAB's `x(:)` and `reshape` take the first index for the fastest: use `permute` first."],
        ),
        "scale" => ("A constant factor", "y = factor · x", &[]),
        "relu" => ("ReLU", "y = max(x, 0)", &["At x = 0 the gradient is 0."]),
        "leaky_relu" => ("Leaky ReLU", "y = x where x > 0, and slope · x elsewhere", &[KINK]),
        "prelu" => {
            ("PReLU", "y = x where x > 0, and slope · x elsewhere; `slope` is one number that is learnt", &[KINK])
        }
        "elu" => ("ELU", "y = x where x > 0, and alpha (eˣ − 1) elsewhere", &[KINK]),
        "gelu" => (
            "GELU",
            "y = x Φ(x), Φ(x) = (1 + erf(x/√2)) / 2.\nWith `tanh` 1: y = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2",
            &[],
        ),
        "sigmoid" => ("The logistic function", "y = 1 / (1 + e⁻ˣ)", &[]),
        "tanh" => ("The hyperbolic tangent", "y = tanh(x)", &[]),
        "silu" => ("SiLU", "y = x / (1 + e⁻ˣ)", &[]),
        "softplus" => ("Softplus", "y = ln(1 + eˣ)", &[]),
        "batch_norm" => (
            "Batch normalisation",
            "With `training` 1: μ[c] and σ²[c] are mean and variance of x[:, c, :, :]. With 0 they are `running_mean` \
             and `running_variance`.\ny = gamma[c] (x − μ[c]) / √(σ²[c] + epsilon) + beta[c]",
            &[BIASED, "Running statistics have no gradient, and are not updated here."],
        ),
        "group_norm" => (
            "Group normalisation",
            "The channels are `groups` equal groups one after the other. μ and σ² are mean and variance of a group of one \
             sample.\ny = gamma[c] (x − μ) / √(σ² + epsilon) + beta[c]",
            &[BIASED],
        ),
        "layer_norm" => (
            "Layer normalisation",
            "μ and σ² are mean and variance of all elements of one sample.\ny = gamma · (x − μ) / √(σ² + epsilon) + beta, \
             where gamma and beta have an element for each element of a sample, in the order channel, row, column (the \
             column is the fastest)",
            &[BIASED],
        ),
        "dropout" => (
            "Dropout",
            "With `training` 1: y = mask · x / (1 − probability). With 0: y = x",
            &["The mask is given: 1 is kept, and 0 is dropped."],
        ),
        "softmax_cross_entropy" => (
            "Softmax with cross-entropy",
            "p[n, :] = softmax(logits[n, :]),  y[n] = −ln p[n, targets[n]]",
            &["Classes count from 0: add 1 in MATLAB and in Julia.", PER_SAMPLE],
        ),
        "soft_cross_entropy" => (
            "Softmax with cross-entropy of shares",
            "p[n, :] = softmax(logits[n, :]),  y[n] = −Σ_k shares[n, k] ln p[n, k]",
            &["The shares of a sample do not add up to 1.", PER_SAMPLE],
        ),
        "mean_squared_error" => {
            ("Mean squared error", "y[n] = 1/K Σ_k (outputs[n, k] − targets[n, k])²", &[PER_SAMPLE])
        }
        "binary_cross_entropy" => (
            "Binary cross-entropy with logits",
            "p = 1 / (1 + e^(−logits)),  y[n] = −1/K Σ_k (targets ln p + (1 − targets) ln(1 − p))",
            &[PER_SAMPLE],
        ),
        _ => return None,
    };
    Some(Task { title, forward, conventions })
}
