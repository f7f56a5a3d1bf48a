use backproof_arrays::Budget;
use backproof_arrays::matlab::kind;
use backproof_spec::{Architecture, Conv2dSpec, FlattenSpec, LayerSpec, LinearSpec, ReluSpec, Shape};

use super::network::MatlabNetwork;
use super::testing::{COMPLEX, LOGICAL, Writer, class};

const ORDERS: [Writer; 2] = [Writer { big_endian: false }, Writer { big_endian: true }];
const LITTLE: Writer = ORDERS[0];

fn input() -> Shape {
    Shape::image(2, 2, 3)
}

fn read(file: &[u8]) -> Result<MatlabNetwork, String> {
    MatlabNetwork::read(file, &mut Budget::new(file.len(), 20), input(), None).map_err(|error| error.to_string())
}

fn refused(layers: &[Vec<u8>]) -> String {
    read(&LITTLE.file(&[LITTLE.network(layers)])).err().expect("this is no network")
}

fn values(network: &MatlabNetwork, name: &str) -> Vec<f64> {
    network.tensors[name].values().collect()
}

fn up_to(last: u32) -> Vec<f64> {
    (0..=last).map(f64::from).collect()
}

/// A convolution of 1×2 to 2×2×2, and two outputs.
fn small(of: Writer) -> Vec<u8> {
    let size = of.structure("", &[("size", of.numbers(&[1, 3], &[2.0, 3.0, 2.0]))]);
    of.network(&[
        of.structure("", &[("type", of.text("input")), ("params", size)]),
        // [row, column, in, out] with one row: the column is the fastest.
        of.layer("convolution", of.numbers(&[1, 2, 2, 2], &up_to(7)), of.numbers(&[2, 1], &[8.0, 9.0])),
        of.plain("relu"),
        of.layer("fully_connected", of.numbers(&[2, 8], &up_to(15)), of.numbers(&[1, 2], &[-1.0, -2.0])),
        of.plain("softmaxloss"),
    ])
}

#[test]
fn axes_are_pytorchs_in_both_byte_orders_packed_or_not() {
    for of in ORDERS {
        let variable = small(of);
        let other = of.array(class::DOUBLE, &[1, 1], "accuracy", &[of.element(kind::DOUBLE, &of.doubles(&[0.5]))]);
        for file in [of.file(&[other.clone(), variable.clone()]), of.file(&[of.compressed(&variable), other])] {
            let network = read(&file).unwrap();
            let names: Vec<&str> = network.layers.iter().map(|(_, layer)| layer.name.as_str()).collect();
            assert_eq!(names, ["conv1", "relu1", "flatten1", "linear1"]);
            assert_eq!(network.tensors["conv1.weight"].shape, [2, 2, 1, 2]);
            assert_eq!(values(&network, "conv1.weight"), up_to(7));
            assert_eq!(values(&network, "conv1.bias"), [8.0, 9.0]);
            assert_eq!(network.tensors["linear1.weight"].shape, [2, 8]);
            // The first output: element 2·k of the file for the k-th input; k counts rows first, then columns.
            let rows_last = [0.0, 4.0, 2.0, 6.0, 8.0, 12.0, 10.0, 14.0];
            assert_eq!(values(&network, "linear1.weight")[..8], rows_last);
            assert_eq!(values(&network, "linear1.bias"), [-1.0, -2.0]);
            assert!(!network.moved_zero);
            let digits = MatlabNetwork::read(&file, &mut Budget::new(file.len(), 20), input(), Some(2)).unwrap();
            assert!(digits.moved_zero);
            assert_eq!(values(&digits, "linear1.bias"), [-2.0, -1.0]);
            assert_eq!(values(&digits, "linear1.weight")[8..], rows_last);
            assert_eq!(values(&digits, "conv1.bias"), [8.0, 9.0]);
        }
    }
}

#[test]
fn numbers_are_read_in_every_type_that_they_are_stored_in() {
    let types: [(u32, Vec<u8>, [f64; 2]); 10] = [
        (kind::INT8, vec![1, 0x80], [1.0, -128.0]),
        (kind::UINT8, vec![1, 0x80], [1.0, 128.0]),
        (kind::INT16, [1_i16, -300].map(i16::to_le_bytes).concat(), [1.0, -300.0]),
        (kind::UINT16, [1_u16, 40_000].map(u16::to_le_bytes).concat(), [1.0, 4e4]),
        (kind::INT32, [1_i32, -70_000].map(i32::to_le_bytes).concat(), [1.0, -7e4]),
        (kind::UINT32, [1_u32, 3_000_000_000].map(u32::to_le_bytes).concat(), [1.0, 3e9]),
        (kind::SINGLE, [1.0_f32, -0.5].map(f32::to_le_bytes).concat(), [1.0, -0.5]),
        (kind::DOUBLE, [1.0_f64, 1e-300].map(f64::to_le_bytes).concat(), [1.0, 1e-300]),
        (kind::INT64, [1_i64, -5_000_000_000].map(i64::to_le_bytes).concat(), [1.0, -5e9]),
        (kind::UINT64, [1_u64, 5_000_000_000].map(u64::to_le_bytes).concat(), [1.0, 5e9]),
    ];
    // Every numeric class; 9 is uint8, as which MATLAB keeps logical arrays.
    for (class, (kind, bytes, expected)) in (6..=15).zip(types) {
        for flags in [0, LOGICAL] {
            let biases = LITTLE.array(class | flags, &[2, 1], "", &[LITTLE.element(kind, &bytes)]);
            let layer = LITTLE.layer("fully_connected", LITTLE.numbers(&[2, 12], &up_to(23)), biases);
            let network = read(&LITTLE.file(&[LITTLE.network(&[layer])])).unwrap();
            assert_eq!(values(&network, "linear1.bias"), expected, "type {kind}");
        }
    }
}

#[test]
fn what_is_no_array_of_real_numbers_is_refused_where_one_is_due() {
    let of = LITTLE;
    let numbers = of.element(kind::DOUBLE, &of.doubles(&[1.0, 2.0]));
    let complex = of.array(class::DOUBLE | COMPLEX, &[2, 1], "", &[numbers.clone(), numbers.clone()]);
    let others = [
        (of.text("ab"), "text"),
        (of.cell(&[of.numbers(&[1, 1], &[1.0])]), "a cell array"),
        (of.structure("", &[]), "a struct"),
        (complex, "complex numbers"),
        (of.array(class::SPARSE, &[2, 1], "", std::slice::from_ref(&numbers)), "a sparse matrix"),
        (of.array(class::FUNCTION, &[1, 1], "", &[]), "a function handle"),
        (of.array(class::OPAQUE, &[1, 1], "", &[]), "an object"),
    ];
    for (biases, what) in others {
        let layer = of.layer("fully_connected", of.numbers(&[2, 12], &up_to(23)), biases);
        assert_eq!(
            refused(&[layer]),
            format!(
                "is a MATLAB file whose layer 1, `fully_connected`, has as `params.biases` {what}; \
                 expected an array of real numbers"
            )
        );
    }
}

#[test]
fn a_file_without_a_network_says_what_it_has() {
    let of = LITTLE;
    let expected = "; expected a struct `net` with a cell `layers` of structs, each with a `type`";
    let empty = "is a MATLAB file without a network: it has nothing";
    assert_eq!(read(&of.file(&[])).err().unwrap(), format!("{empty}{expected}"));
    let numbers = of.array(class::DOUBLE, &[1, 1], "w", &[of.element(kind::DOUBLE, &of.doubles(&[0.5]))]);
    let structure = of.structure("net", &[("layers", of.text("none"))]);
    assert_eq!(
        read(&of.file(&[numbers, structure])).err().unwrap(),
        format!("is a MATLAB file without a network: it has `w`, an array of numbers; `net`, a struct{expected}")
    );
    assert_eq!(
        read(&of.file(&[small(of), of.structure("old", &[("layers", of.cell(&[]))])])).err().unwrap(),
        "is a MATLAB file with several networks: net, old; expected one: `save('FILE.mat', 'net', '-v7')`"
    );
}

#[test]
fn a_layer_that_is_not_read_is_told_with_its_place() {
    let of = LITTLE;
    let linear = || of.layer("fully_connected", of.numbers(&[2, 12], &up_to(23)), of.numbers(&[2, 1], &[0.0, 0.0]));
    let of_layer =
        |layers: &[Vec<u8>]| refused(layers).strip_prefix("is a MATLAB file whose layer ").unwrap().to_owned();
    assert_eq!(
        of_layer(&[linear(), of.plain("dropout")]),
        "2, `dropout`, is of a type that is not read; expected input, convolution, relu, maxpooling, fully_connected \
         or softmaxloss"
    );
    assert!(of_layer(&[of.numbers(&[1, 1], &[1.0])]).starts_with("1 is an array of numbers without a text `type`; "));
    assert!(of_layer(&[of.plain("softmaxloss"), linear()]).starts_with("1, `softmaxloss`, is not the last; "));
    assert!(of_layer(&[linear(), of.plain("input")]).starts_with("2, `input`, is not the first; "));
    assert!(of_layer(&[of.plain("convolution")]).starts_with("1, `convolution`, has no `params.weights`; "));
    let narrow = of.layer("fully_connected", of.numbers(&[2, 3], &up_to(5)), of.numbers(&[2, 1], &[0.0, 0.0]));
    assert_eq!(
        of_layer(&[narrow]),
        "1, `fully_connected`, takes 3 inputs, and gets 12 from the layer before; expected weights for 12"
    );
    let biases = of.layer("fully_connected", of.numbers(&[2, 12], &up_to(23)), of.numbers(&[3, 1], &up_to(2)));
    assert_eq!(
        of_layer(&[biases]),
        "1, `fully_connected`, has biases of the size [3, 1]; expected 2, one for each output"
    );
    let large = of.layer("convolution", of.numbers(&[3, 3, 2, 1], &up_to(17)), of.numbers(&[1, 1], &[0.0]));
    assert!(of_layer(&[large]).starts_with("1 does not fit: a window of 3 does not fit in height 2 with padding 0"));
    let half = [
        ("type", of.text("convolution")),
        (
            "params",
            of.structure(
                "",
                &[("weights", of.numbers(&[1, 1, 2], &up_to(1))), ("biases", of.numbers(&[1, 1], &[0.0]))],
            ),
        ),
        ("padding", of.numbers(&[1, 2], &[0.5, 0.0])),
    ];
    assert_eq!(
        of_layer(&[of.structure("", &half)]),
        "1, `convolution`, has as `padding` something else than a few whole numbers; \
         expected whole numbers from 0 to 65535"
    );
}

#[test]
fn a_network_of_other_layers_is_refused_with_the_layers_of_both() {
    let network = read(&LITTLE.file(&[small(LITTLE)])).unwrap();
    let check = |input, layers: &[LayerSpec]| {
        let architecture = Architecture { name: "own".to_owned(), input, layers: layers.to_vec() };
        network.check(input, &architecture.trace().unwrap())
    };
    let conv = |kernel: [usize; 2]| LayerSpec::Conv2d(Conv2dSpec::new(2, kernel));
    let linear = LayerSpec::Linear(LinearSpec::new(2));
    let (relu, flatten) = (LayerSpec::Relu(ReluSpec::default()), LayerSpec::Flatten(FlattenSpec));
    let dropout = LayerSpec::Dropout(backproof_spec::DropoutSpec { probability: 0.5 });
    let own = [conv([1, 2]), relu.clone(), flatten.clone(), dropout, linear.clone()];
    assert_eq!(check(input(), &own), Ok(()));
    assert_eq!(
        check(Shape::image(2, 3, 2), &own).unwrap_err(),
        "layer 1 of the file is an input of 2×2×3; the network's is 2×3×2"
    );
    assert_eq!(
        check(input(), &[conv([2, 1]), relu.clone(), flatten.clone(), linear.clone()]).unwrap_err(),
        "layer 2 of the file is conv 2, 1×2 (2×2×3 to 2×2×2); there the network has `conv1`, conv 2, 2×1 \
         (2×2×3 to 2×1×3)"
    );
    assert_eq!(
        check(input(), &[conv([1, 2]), flatten.clone(), linear.clone()]).unwrap_err(),
        "layer 3 of the file is ReLU (2×2×2 to 2×2×2); there the network has `flatten1`, flatten (2×2×2 to 8)"
    );
    assert_eq!(
        check(input(), &[conv([1, 2]), relu.clone()]).unwrap_err(),
        "layer 4 of the file is flatten (2×2×2 to 8); there the network has no more layers"
    );
    let longer = [conv([1, 2]), relu.clone(), flatten, linear, relu];
    assert_eq!(
        check(input(), &longer).unwrap_err(),
        "the file has no more layers where the network goes on with `relu2`, ReLU (2 to 2)"
    );
}

#[test]
fn a_file_that_is_cut_anywhere_or_changed_anywhere_is_no_panic() {
    for of in ORDERS {
        for file in [of.file(&[small(of)]), of.file(&[of.compressed(&small(of))])] {
            assert!(read(&file).is_ok());
            for place in 0..file.len() {
                assert!(read(&file[..place]).is_err(), "cut at {place}");
                for change in [0x01, 0x80, 0xff] {
                    let mut changed = file.clone();
                    changed[place] ^= change;
                    let _ = read(&changed);
                }
            }
        }
    }
}

#[test]
fn sizes_that_lie_take_no_memory() {
    let of = LITTLE;
    // Two billion cells, numbers, fields, of which none is there.
    let last = i32::MAX as u32;
    let cells = of.array(class::CELL, &[last, last], "net", &[of.element(kind::MATRIX, &[])]);
    assert!(read(&of.file(&[cells])).err().unwrap().contains("it ends after 0 bytes of an element"));
    let numbers = of.array(class::DOUBLE, &[last, last], "net", &[of.element(kind::DOUBLE, &[0; 8])]);
    assert!(read(&of.file(&[numbers])).err().unwrap().contains("numbers has 8 bytes, 8 for each"));
    let fields = [of.element(kind::INT32, &of.word(1)), of.element(kind::INT8, b"ab")];
    let many = of.array(class::STRUCT, &[last, last], "net", &fields);
    assert!(read(&of.file(&[many])).err().unwrap().contains("it ends after 0 bytes of an element"));
    let size = of.array(class::CELL, &[last, last, last], "net", &[]);
    assert!(read(&of.file(&[size])).err().unwrap().contains("an array has the size [2147483647, "));
    let negative = of.array(class::CELL, &[u32::MAX, 1], "net", &[]);
    assert!(read(&of.file(&[negative])).err().unwrap().contains("an array has the size [4294967295, 1]"));
    let empty = of.element(kind::MATRIX, &[]);
    let crowd = of.array(class::CELL, &[1, 100_001], "net", &vec![empty; 100_001]);
    assert!(read(&of.file(&[crowd])).err().unwrap().contains("more than 100000 arrays"));
}

#[test]
fn a_compressed_element_that_unpacks_hugely_is_refused_and_one_that_lies_is_damaged() {
    let of = LITTLE;
    let zeros = |count: u32| {
        let content = of.element(kind::DOUBLE, &vec![0; 8 * count as usize]);
        of.compressed(&of.array(class::DOUBLE, &[count, 1], "x", &[content]))
    };
    assert!(read(&of.file(&[zeros(1_000), of.compressed(&small(of))])).is_ok());
    let error = read(&of.file(&[zeros(1_000_000)])).err().unwrap();
    assert_eq!(
        error,
        "is a MATLAB file of which a compressed element unpacks to more than its tensors take; expected a file with \
         the tensors alone: `save('FILE.mat', 'NAME', '-v7')`"
    );
    // Many that are small enough each.
    let error = read(&of.file(&vec![zeros(100_000); 3])).err().unwrap();
    assert!(error.contains("unpacks to more than its tensors take"), "{error}");
    let mut claims_more = small(of);
    claims_more[4..8].copy_from_slice(&500_000_u32.to_le_bytes());
    let error = read(&of.file(&[of.compressed(&claims_more)])).err().unwrap();
    assert!(error.contains("a compressed element cannot be unpacked"), "{error}");
    let error = read(&of.file(&[of.compressed(&[small(of), small(of)].concat())])).err().unwrap();
    assert!(error.contains("a compressed element has bytes after its variable"), "{error}");
}

#[test]
fn cells_that_lie_too_deep_are_refused() {
    let of = LITTLE;
    let nested = |depth: usize| (0..depth).fold(of.numbers(&[1, 1], &[1.0]), |inside, _| of.cell(&[inside]));
    let file = |depth: usize| of.file(&[of.structure("deep", &[("cell", nested(depth))]), small(of)]);
    assert!(read(&file(31)).is_ok());
    assert!(read(&file(32)).err().unwrap().contains("more than 32 levels of cells and structs"));
    assert!(read(&file(2_000)).err().unwrap().contains("more than 32 levels of cells and structs"));
}
