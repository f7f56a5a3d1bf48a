use std::path::Path;

use super::read;

/// A file that `tests/fixtures/pickles/make_pickles.py` made.
fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pickles");
    std::fs::read(folder.join(format!("{name}.pickle"))).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

/// Protocol 2, these opcodes, and the end.
fn program(opcodes: &[&[u8]]) -> Vec<u8> {
    [&[0x80, 2][..], &opcodes.concat(), b"."].concat()
}

#[test]
fn what_python_2_and_3_write_is_read_by_every_protocol() {
    let names = ["published", "python3-2", "python3-3", "python3-4", "python3-5", "bytes-2"];
    for name in names.into_iter().chain(["columns-2", "columns-3", "columns-4", "columns-5"]) {
        let bytes = file(name);
        let pickle = read(&bytes).unwrap_or_else(|error| panic!("{name} {error}"));
        let data = pickle.array("data").unwrap();
        assert_eq!(data.shape, [3, 12], "{name}");
        let pixels: Vec<u8> =
            (0..3).flat_map(|image| (0..3).flat_map(move |c| (0..4).map(move |p| 100 * image + 10 * c + p))).collect();
        assert_eq!(data.into_bytes().unwrap(), pixels, "{name}");
        assert_eq!(pickle.integers("labels").unwrap(), [3, 0, 9], "{name}");
        assert_eq!(pickle.integers("fine_labels").unwrap(), [99, 0, 42], "{name}");
        assert_eq!(pickle.integers("coarse_labels").unwrap(), [19, 0, 7], "{name}");
        assert!(pickle.keys().any(|key| key == "batch_label"), "{name}");
    }
    let bytes = file("big-endian-4");
    assert_eq!(read(&bytes).unwrap().integers("labels").unwrap(), [3, 0, 9]);
}

#[test]
fn what_is_asked_for_and_is_not_there_is_an_error_that_says_what_is() {
    let bytes = file("big-endian-4");
    let pickle = read(&bytes).unwrap();
    assert_eq!(
        pickle.array("pixels").unwrap_err().to_string(),
        "is a pickle with the entries `data`, `labels`; expected an entry `pixels`"
    );
    assert_eq!(
        pickle.integers("data").unwrap_err().to_string(),
        "has an array of the shape [3, 12] as `data`; expected one axis of whole numbers"
    );
    let bytes = file("published");
    let pickle = read(&bytes).unwrap();
    assert_eq!(
        pickle.integers("filenames").unwrap_err().to_string(),
        "has bytes in the list `filenames`; expected whole numbers"
    );
    assert_eq!(pickle.array("labels").unwrap_err().to_string(), "has a list as `labels`; expected a NumPy array");
    assert_eq!(
        pickle.integers("batch_label").unwrap_err().to_string(),
        "has bytes as `batch_label`; expected a list of whole numbers"
    );
}

#[test]
fn an_array_whose_bytes_do_not_fit_its_shape_is_an_error() {
    let mut bytes = file("published");
    // The shape (3, 12) is two small numbers and a tuple of two.
    let at = bytes.windows(5).position(|window| window == b"K\x03K\x0c\x86").unwrap();
    bytes[at + 1] = 4;
    let error = read(&bytes).unwrap().array("data").unwrap_err().to_string();
    assert_eq!(error, "has an array `data` of the shape [4, 12] with 36 bytes; expected 1 bytes for each number");
}

#[test]
fn a_pickle_that_would_run_something_is_refused_with_its_name() {
    let run = program(&[b"cos\nsystem\n", b"U\x02ls", b"\x85R"]);
    let error = refused(&run);
    assert!(error.starts_with("is a pickle that calls `os.system`; expected a dictionary of NumPy arrays"), "{error}");
    // By protocol 4, and by a class with a state.
    let run = program(&[b"\x8c\x02os\x8c\x06system\x93", b"\x8c\x02ls", b"\x85R"]);
    assert!(refused(&run).starts_with("is a pickle that calls `os.system`"));
    assert!(refused(&program(&[b"c__builtin__\neval\n"])).contains("calls `__builtin__.eval`"));
    // A function of the list with other arguments.
    let encode = program(&[b"c_codecs\nencode\n", b"X\x01\0\0\0ax\x03\0\0\0rot", b"\x86R"]);
    assert!(refused(&encode).contains("the opcode 78 (hexadecimal)"), "{}", refused(&encode));
    let encode = program(&[b"c_codecs\nencode\n", b"X\x01\0\0\0aX\x05\0\0\0rot13", b"\x86R"]);
    assert!(refused(&encode).contains("calls Encode with other arguments"), "{}", refused(&encode));
    // Persistent objects, objects of classes, extensions and buffers from elsewhere.
    for opcode in [b'P', b'Q', b'i', b'o', 0x81, 0x82, 0x92, 0x97] {
        let error = refused(&program(&[&[opcode]]));
        assert!(error.contains(&format!("has the opcode {opcode:02x} (hexadecimal)")), "{error}");
    }
}

#[test]
fn what_is_no_pickle_or_of_another_protocol_is_said() {
    assert!(refused(b"").starts_with("is no pickle; expected a pickle of the protocols 2 to 5"));
    assert!(refused(b"(dp0\nS'data'\n").starts_with("is no pickle"));
    assert_eq!(refused(b"\x80\x01}."), "is a pickle of the protocol 1; expected protocol 2, 3, 4 or 5");
    assert_eq!(refused(b"\x80\x06}."), "is a pickle of the protocol 6; expected protocol 2, 3, 4 or 5");
    assert_eq!(refused(&program(&[b"]"])), "is a pickle of a list; expected a dictionary of NumPy arrays");
    assert!(refused(b"\x80\x02}.more").starts_with("is a damaged pickle: 4 bytes come after its end"));
}

#[test]
fn what_does_not_fit_together_is_damage() {
    for (opcodes, what) in [
        (&b""[..], "its stack is empty"),
        (b"(0", "the opcode 30"),
        (b"}a", "it appends to what is no list"),
        (b"}(K\x01u", "a key has no value"),
        (b"](K\x01K\x02u", "it sets an entry of what is no dictionary"),
        (b"e", "a mark is missing"),
        (b"}h\x07", "it asks for an object that it has not kept"),
        (b"N\x86", "a tuple lacks its items"),
        (b"X\x01\0\0\0\xff", "a text is not UTF-8"),
        (b"N)R", "it calls what is no function"),
        (b"}Nb", "the state of an object is no tuple"),
        (b"})b", "has an object with another state"),
        (b"\x8a\x09\0\0\0\0\0\0\0\0\0", "has a number of more than eight bytes"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "bytes should follow, and 1 do"),
    ] {
        let error = refused(&program(&[opcodes]));
        assert!(error.contains(what), "{what}: {error}");
    }
    let numbers = program(&[b"}(U\x01a](J\xff\xff\xff\xff\x8a\x00\x8a\x02\x00\xffM\x00\x01eu"]);
    assert_eq!(read(&numbers).unwrap().integers("a").unwrap(), [-1, 0, -256, 256]);
}

/// A few bytes each could stand for an object of 64 in memory.
#[test]
fn a_pickle_of_more_objects_than_its_size_allows_is_refused() {
    let many = |count: usize| program(&[b"}(U\x01a]", b"(", &b"N".repeat(count), b"eu"]);
    assert!(read(&many(9_000)).is_ok());
    for opcodes in [&b"N"[..], b"(", b"]", b"}q\x00", b"h\x00"] {
        let error = refused(&program(&[b"}q\x00", &opcodes.repeat(20_000)]));
        assert!(error.contains("has more objects than arrays of images need"), "{error}");
    }
}

#[test]
fn no_cut_and_no_change_of_a_file_panics() {
    for name in ["published", "python3-2", "python3-5", "columns-4", "bytes-2"] {
        let bytes = file(name);
        for place in 0..bytes.len() {
            assert!(read(&bytes[..place]).is_err(), "{name} cut at {place}");
            for change in [0x01, 0x04, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                crate::fuzzing::pickle(&changed);
            }
        }
    }
}
