//! Max pooling: ties, overlapping windows, padding, dilation, ceil mode.

use backproof_compiled::Operation;
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_kernels as kernels;
use backproof_layers::{MaxPool2d, MaxPool2dOptions};

use super::conventions;
use super::windows::{SLIPS, Windows, plane};
use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, extent, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Max pooling",
    forward: "y[n, c, i, j] = max over the window of x[n, c, i·stride − padding + k·dilation, j·stride − padding + \
             l·dilation], 0 ≤ k < kernel[0], 0 ≤ l < kernel[1]",
    conventions: &[
        "Of equal values in a window, the first one row by row has the gradient, and the others none. MATLAB's \
                 `max` over a column finds the first one column by column.",
        "Padding never wins.",
        conventions::WINDOWS,
        conventions::CEIL,
    ],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let (kernel, stride, dilation) = (draw.pair(1..=3), draw.pair(1..=3), draw.pair(1..=2));
    // At most half of the window may be padding, so that there is a pixel in each.
    let padding = kernel.map(|kernel| draw.size(0..=kernel / 2));
    // Rounding up may add a window in which a dilated kernel meets padding alone.
    let ceil_mode = dilation == [1, 1] && draw.once_in(3);
    let rest = draw.pair(0..=5);
    let size = [0, 1].map(|axis| dilation[axis] * (kernel[axis] - 1) + 1 + rest[axis]);
    // Few: of many channels, a sample of the elements may miss the one that a mutant drops. Segments have many.
    let dims = [draw.size(1..=2), draw.size(1..=3), size[0], size[1]];
    let layout = draw.layout();
    let about = format!(
        "{}, kernel {}, stride {}, padding {}, dilation {}{}{}",
        shape(&dims),
        extent(kernel),
        extent(stride),
        extent(padding),
        extent(dilation),
        if ceil_mode { ", ceil mode" } else { "" },
        layout.words(),
    );
    for (name, pair) in [("kernel", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation)] {
        draw.pair_option(name, pair);
    }
    draw.flag("ceil_mode", ceil_mode);
    let layer = MaxPool2d::new(MaxPool2dOptions { kernel, stride, padding, dilation, ceil_mode });
    let check = context.check("max_pool2d").input("x", draw.values(dims, 1.0));
    let [of_autodiff, of_forward] = [layer.clone(), layer.clone()];
    let output = layer.output_size(size);
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<4>("x"));
    let check = context.autodiff(check, move |t| of_autodiff.forward(x(t)));
    let check = context.manual(
        check,
        move |t| of_forward.forward_saving(x(t)).0,
        move |t| {
            let (_, saved) = layer.forward_saving(x(t));
            Gradients::new().with("x", layer.backward(saved, layout.arrange(t.cotangent::<4>())))
        },
    );

    let window = kernels::Window { kernel, stride, padding, dilation };
    let stack = Stack::new([dims[1], dims[2], dims[3]], vec![Operation::MaxPool2d { window, output }]);
    let check = stack.check(context, check, [dims[0], dims[1], output[0], output[1]]);

    let windows = Windows { stride, padding, dilation };
    let pool = move |t: &Arguments<'_>, seen: &Value, windows: Windows, rule: Rule| {
        Gradients::new().with("x", gradient(windows, kernel, seen, t.cotangent_value(), rule))
    };
    let mut check = check;
    for (name, slip) in SLIPS {
        check = context.mutant(check, name, move |t| pool(t, t.value("x"), slip(windows), Rule::Winner));
    }
    for (name, rule) in [
        ("of equal values the last one of the window wins", Rule::Last),
        ("of equal values the first one column by column wins: column-major?", Rule::FirstByColumns),
        ("equal values share the gradient", Rule::Shared),
        ("all equal values get the whole gradient", Rule::Each),
    ] {
        draw.convention(name, move |t| pool(t, t.value("x"), windows, rule));
    }
    check = context.mutant(check, "the argmax indices of another batch", move |t| {
        pool(t, &Value::from(t.get::<4>("x").flip([0, 1, 2, 3])), windows, Rule::Winner)
    });
    check = context
        .mutant(check, "the smallest wins", move |t| pool(t, &Value::from(-t.get::<4>("x")), windows, Rule::Winner));
    check = context
        .mutant(check, "every pixel of a window gets the gradient", move |t| pool(t, t.value("x"), windows, Rule::All));
    check = context.mutant(check, "where windows overlap, the last one overwrites the sum", move |t| {
        pool(t, t.value("x"), windows, Rule::Overwrite)
    });
    Case { about, check }
}

/// Who gets the gradient of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The first maximum: right.
    Winner,
    /// All pixels.
    All,
    /// The first maximum, which forgets what other windows gave it.
    Overwrite,
    /// The last maximum.
    Last,
    /// The first maximum, column by column.
    FirstByColumns,
    /// All maxima, in equal parts.
    Shared,
    /// All maxima, the whole gradient each.
    Each,
}

fn gradient(windows: Windows, kernel: [usize; 2], seen: &Value, g: &Value, rule: Rule) -> Value {
    let sizes = [plane(g), kernel, plane(seen)];
    let planes = g.len() / (sizes[0][0] * sizes[0][1]);
    if matches!(rule, Rule::Last | Rule::FirstByColumns | Rule::Shared | Rule::Each) {
        return of_ties(windows, sizes, [seen, g], rule);
    }
    let mut argmax: Vec<Option<usize>> = vec![None; g.len()];
    let mut gradient = vec![0.0; seen.len()];
    windows.for_each(planes, sizes, |_, output, input, _| {
        if rule == Rule::All {
            gradient[input] += g.data()[output];
        } else if argmax[output].is_none_or(|best| seen.data()[input] > seen.data()[best]) {
            argmax[output] = Some(input);
        }
    });
    for (output, best) in argmax.into_iter().enumerate() {
        match (best, rule) {
            (Some(best), Rule::Overwrite) => gradient[best] = g.data()[output],
            (Some(best), _) => gradient[best] += g.data()[output],
            (None, _) => {}
        }
    }
    Value::new(seen.dims(), gradient)
}

/// The gradient where it matters which of several equal maxima wins.
fn of_ties(windows: Windows, sizes: [[usize; 2]; 3], [seen, g]: [&Value; 2], rule: Rule) -> Value {
    let planes = g.len() / (sizes[0][0] * sizes[0][1]);
    // Of each window the place in it and the pixel of every maximum.
    let mut maxima: Vec<Vec<(usize, usize)>> = vec![Vec::new(); g.len()];
    windows.for_each(planes, sizes, |_, output, input, place| {
        let best = maxima[output].first().map(|&(_, best)| seen.data()[best]);
        if best.is_some_and(|best| seen.data()[input] > best) {
            maxima[output].clear();
        }
        if best.is_none_or(|best| seen.data()[input] >= best) {
            maxima[output].push((place, input));
        }
    });
    let columns = sizes[1][1];
    let mut gradient = vec![0.0; seen.len()];
    for (maxima, g) in maxima.iter().zip(g.data()) {
        let share = if rule == Rule::Shared { g / maxima.len().max(1) as f64 } else { *g };
        let one = match rule {
            Rule::Last => maxima.last(),
            Rule::FirstByColumns => maxima.iter().min_by_key(|(place, _)| (place % columns, place / columns)),
            _ => None,
        };
        let winners = one.map_or(&maxima[..], std::slice::from_ref);
        winners.iter().for_each(|&(_, pixel)| gradient[pixel] += share);
    }
    Value::new(seen.dims(), gradient)
}
